#!/usr/bin/env python3
"""Runs one command of the product; problems with the settings are printed, one on each line, with exit code 2."""

import importlib
import os
import sys


def main() -> None:
    open_closed_streams()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketedge.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from marketedge import loading

    try:
        # Now, so that every command tells what is wrong with them, `--help` included.
        importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])
        loading.load_applications()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.stderr.write(f"MarketEdge cannot start with these settings:\n{problem}\n")
        sys.exit(2)
    except loading.CannotLoad as problem:
        loading.say_and_exit(problem, code=2)


def open_closed_streams() -> None:
    """A caller may have closed them (`>&-`): the number of one must not go to the connection of the database."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


if __name__ == "__main__":
    main()
