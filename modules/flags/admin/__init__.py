"""The pages of flags in the admin site. Importing this registers them."""

from modules.flags.admin import flags, overrides

__all__ = ["flags", "overrides"]
