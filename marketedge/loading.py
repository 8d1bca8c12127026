"""Loads the product, measured part by part, without asking the database; what fails is named in one clear line."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from marketedge.phases import phases
from tenants.postgresql import startup
from tenants.redaction import redact


class CannotLoad(Exception):
    """The product is not complete and must not serve; the message is one line that names the part at fault."""


class Stopwatch:
    """Seconds by application, over everything that is done for it: finding it, its models, its `ready()`.

    `at_work` names the one that is being loaded, and stays where it was when something failed.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.at_work = ""

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        began, self.at_work = time.perf_counter(), name
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
        self.at_work = ""

    def wrap(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            with self.on(name):
                return work(*arguments)

        return timed


def load() -> Any:
    """The complete WSGI application. Raises CannotLoad."""
    with complete_or_not_at_all() as watch, startup.no_database():
        _load_settings()
        _load_applications(watch)
        _load_url_map(watch)
        from django.core.wsgi import get_wsgi_application

        from marketedge.hygiene import Utf8Request

        application = get_wsgi_application()
        application.request_class = Utf8Request
        return application


def load_applications() -> None:
    """As much as a command needs: settings and applications. Raises CannotLoad."""
    with complete_or_not_at_all() as watch, startup.no_database():
        _load_settings()
        _load_applications(watch)


@contextmanager
def complete_or_not_at_all() -> Iterator[Stopwatch]:
    """Turn whatever goes wrong inside into CannotLoad; problems with settings stay what they are."""
    from django.core.exceptions import ImproperlyConfigured

    watch = Stopwatch()
    try:
        yield watch
    except ImproperlyConfigured as problem:
        if not watch.at_work:
            raise
        raise CannotLoad(_line(watch.at_work, problem)) from problem
    except Exception as fault:
        raise CannotLoad(_line(watch.at_work, fault)) from fault


def _line(part: str, fault: Exception) -> str:
    said = " ".join(str(fault).split()) or "no words"
    return (
        f"MarketEdge cannot start: {part or 'the product'} failed while it was loaded:"
        f" {type(fault).__name__}: {said} ({_place(fault)})"
    )


def _place(fault: Exception) -> str:
    """The innermost line of the project, or of whatever is at fault; the interpreter's own machinery left out."""
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if "<frozen" not in frame.filename]
    own = [frame for frame in frames if "site-packages" not in frame.filename and frame.filename != __file__]
    frame = (own or frames)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _load_settings() -> None:
    with phases.measure("settings"):
        from django.conf import settings

        _ = settings.DEBUG


def _load_applications(watch: Stopwatch) -> None:
    """As `django.setup()` does, with each application timed."""
    from django.apps import AppConfig, apps
    from django.conf import settings
    from django.utils.log import configure_logging

    with phases.measure("applications") as detail:
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
        configs = []
        for entry in settings.INSTALLED_APPS:
            with watch.on(entry):
                config = AppConfig.create(entry)
            config.import_models = watch.wrap(entry, config.import_models)  # type: ignore[method-assign]
            config.ready = watch.wrap(entry, config.ready)  # type: ignore[method-assign]
            configs.append(config)
        apps.populate(configs)
        detail.update({name: round(seconds, 4) for name, seconds in watch.seconds.items()})
    names = [config.name for config in configs]
    _note_modules(dict(zip(names, map(watch.seconds.__getitem__, settings.INSTALLED_APPS), strict=True)))


def _note_modules(seconds: dict[str, float]) -> None:
    """Which analytics modules registered, and what each cost; a module's URL list lies in its application."""
    from modules import registry

    registry.require_complete()
    costs = {spec.key: seconds.get(spec.urls.rpartition(".")[0], 0.0) for spec in registry.all_specs()}
    phases.note("modules", sum(costs.values()), **{key: round(cost, 4) for key, cost in costs.items()})


def _load_url_map(watch: Stopwatch) -> None:
    """Every view is imported now, so that a broken one ends the start instead of the first request."""
    from django.urls import get_resolver

    with phases.measure("url_map"), watch.on("the URL map"):
        get_resolver()._populate()


def say_and_exit(problem: CannotLoad, code: int) -> None:
    """The stack for who mends it, and the one line last, where people look."""
    if problem.__cause__:
        sys.stderr.write(redact("".join(traceback.format_exception(problem.__cause__))))
    sys.stderr.write(f"{redact(str(problem))}\n")
    sys.exit(code)
