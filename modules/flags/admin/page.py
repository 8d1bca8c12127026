"""The page of one flag, which reads as its ladder."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from modules.flags import actions, wording
from modules.flags.admin.caveats import unread
from modules.flags.admin.overrides import overrides_of
from modules.flags.admin.releasing import ReleasingAdmin
from modules.flags.admin.rungs import RUNGS, sections
from modules.flags.admin.standing import standing
from modules.flags.effects import reach
from modules.flags.forms import FlagForm
from modules.flags.models import Flag
from modules.flags.newest import newest_number, release_that_holds
from modules.flags.rows import with_more
from modules.flags.snapshot import NO_FLAGS, compile_release

MORE = "_more_"
READ_ONLY = ("is_killed", "is_archived", "salt")


class PageOfFlag(ReleasingAdmin):
    form = FlagForm
    fieldsets: ClassVar[Any] = (
        *((rung.title, {"fields": rung.fields}) for rung in RUNGS),
        ("Why", {"fields": ("reason",)}),
    )

    # What the form asks under these names is shown to those who may look and not change.
    @admin.display(description="rollout")
    def percentage(self, flag: Flag) -> str:
        return f"{flag.rollout / 1000:g} %"

    @admin.display(description="prerequisites")
    def needs(self, flag: Flag) -> str:
        return ", ".join(flag.prerequisites.order_by("key").values_list("key", flat=True)) or "none"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A form that somebody left open must not undo a kill, so the switches are no part of it."""
        return ("key", *READ_ONLY) if obj else READ_ONLY

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        for name in [name for name in request.POST if name in (f"{MORE}variants", f"{MORE}ramp")]:
            request.POST = with_more(request.POST, name.removeprefix(MORE))
        return super().changeform_view(request, *args, **options)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change, **options)
        form.is_shown_again = form.is_shown_again or any(name.startswith(MORE) for name in request.POST)
        return form

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> HttpResponse:
        now, flag, form = timezone.now(), context["original"], context["adminform"].form
        overrides = overrides_of(flag, at=now)
        context |= {
            "sections": sections(flag, form, context["adminform"], overrides),
            "overrides": overrides,
            "why": list(context["adminform"])[-1],
            **({"now": self._now(flag, now)} if flag else {}),
        }
        return super().render_change_form(request, context, *args, **options)

    def _now(self, flag: Flag, now: Any) -> dict[str, Any]:
        """What the flags answer here at this moment, whatever was typed into the form."""
        held = release_that_holds()
        number, document = (held.number, held.document) if held else (0, NO_FLAGS)
        compiled = compile_release(number, document, now, settings.FLAGS_FORCED).flags.get(flag.key)
        return {
            "standing": standing(Flag.objects.as_of(now).counted().get(pk=flag.pk), now),
            "reach": reach(compiled, at=now),
            "rollout": f"{compiled.rollout / 1000:g} %" if compiled else "",
            "release": number,
            "caveats": unread(newest_number(), number),
            "off_value": wording.value(compiled.off_value) if compiled else "",
            "unit": "person" if compiled and compiled.is_by_person else "organisation",
        }

    def is_changed(self, form: Any) -> bool:
        return bool(form.merge.changes)

    def release(self, row: Flag, form: Any, *, by: Any) -> None:
        reason = form.cleaned_data["reason"]
        actions.save_flag(row, by=by, reason=reason, fields=form.changed_fields, **form.changed_lists)
