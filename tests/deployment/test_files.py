"""The deployment files say what the product needs, name nothing that is not there, and hold no secret."""

import json
import re
import shlex
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

from tests.deployment.files import INSTRUCTIONS, dockerfile, let_in, of_image, procfile, variables
from tests.environment import ROOT
from tests.marketedge.test_settings import REQUIRED

OFFERED = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
RENDER_FIELDS = {
    "type", "name", "runtime", "dockerfilePath", "region", "plan", "numInstances", "preDeployCommand", "dockerCommand",
    "healthCheckPath", "maxShutdownDelaySeconds", "envVars",
}  # fmt: skip


def render() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "render.yaml").read_text())


def service() -> dict[str, Any]:
    (only,) = render()["services"]
    return only


RELEASE_COMMANDS = {"Procfile": procfile()["release"], "render.yaml": service()["preDeployCommand"]}
START_COMMANDS = {
    "Dockerfile": shlex.join(json.loads(of_image("CMD")[0])),
    "Procfile": procfile()["web"],
    "render.yaml": service()["dockerCommand"],
}


def test_the_dockerfile_has_only_instructions_that_we_read():
    assert {one.kind for one in dockerfile()} - INSTRUCTIONS == set()


def test_both_stages_are_of_the_same_slim_python():
    assert {one.text.split()[0] for one in dockerfile() if one.kind == "FROM"} == {"python:3.11-slim"}


def test_packages_are_installed_as_they_are_pinned():
    (install,) = [one.text for one in dockerfile() if "pip install" in one.text]

    assert {"--require-hashes", "--no-deps"} <= set(install.split())
    assert shlex.split(install)[-2:] == ["--requirement", "requirements.txt"]


def test_the_image_runs_as_nobody_in_particular():
    (user,) = of_image("USER")

    assert all(int(part) > 0 for part in user.split(":"))
    order = [one.kind for one in dockerfile()]
    assert "RUN" not in order[order.index("USER") :]


def test_nothing_is_given_to_that_user():
    assert not any("--chown" in one.text or "chmod" in one.text for one in dockerfile())


def test_the_server_gets_the_signals_itself():
    command = json.loads(of_image("CMD")[0])

    assert command == ["gunicorn", "-c", "marketedge/gunicorn.conf.py"]


def test_the_image_is_healthy_once_it_has_started():
    (check,) = of_image("HEALTHCHECK")

    assert json.loads(check.partition("CMD ")[2]) == ["python", "-m", "marketedge.healthcheck"]


def test_the_image_says_which_commit_it_is():
    assert of_image("ARG") == ["RELEASE_COMMIT=unknown"]
    assert "RELEASE_COMMIT=$RELEASE_COMMIT" in of_image("ENV")
    assert "org.opencontainers.image.revision=$RELEASE_COMMIT" in of_image("LABEL")[0].split()


def test_only_what_runs_goes_into_the_image():
    top = {path.parts[0] for path in let_in()}

    expected = {"accounts", "marketedge", "modules", "templates", "tenants", "manage.py", "requirements.txt"}
    assert top == expected


@pytest.mark.parametrize("pattern", [r"(^|/)\.", r"\.pyc$", r"^tests", r"^marketedge/local", r"password"])
def test_what_is_private_or_for_development_stays_out(pattern):
    assert [path for path in let_in() if re.search(pattern, str(path))] == []


@pytest.mark.parametrize("file", RELEASE_COMMANDS)
def test_the_release_step_is_one_command_that_exists_with_arguments_that_it_takes(file):
    words = shlex.split(RELEASE_COMMANDS[file])

    assert words[:3] == ["python", "manage.py", "release"]
    command = load_command_class(get_commands()["release"], "release")
    given = command.create_parser("manage.py", "release").parse_args(words[3:])
    assert (given.apply, bool(given.actor), bool(given.reason)) == (True, True, True)


@pytest.mark.parametrize("file", START_COMMANDS)
def test_starting_never_migrates(file):
    assert "gunicorn -c marketedge/gunicorn.conf.py" in START_COMMANDS[file]
    assert not re.search(r"migrate|release|bootstrap|manage\.py", START_COMMANDS[file])


@pytest.mark.parametrize("file", ["Procfile", "render.yaml"])
def test_what_answers_requests_never_holds_the_owners_login(file):
    assert "exec env -u DATABASE_OWNER_URL" in START_COMMANDS[file]


def test_the_blueprint_uses_fields_that_render_documents():
    assert set(service()) - RENDER_FIELDS == set()
    assert (service()["type"], service()["runtime"]) == ("web", "docker")
    assert (ROOT / service()["dockerfilePath"]).is_file()


def test_the_blueprint_asks_whether_the_product_has_started():
    assert service()["healthCheckPath"] == "/healthz/startup"


def test_requests_in_flight_have_the_time_that_gunicorn_gives_them():
    (graceful,) = re.findall(r"^graceful_timeout = (\d+)", (ROOT / "marketedge/gunicorn.conf.py").read_text(), re.M)

    assert service()["maxShutdownDelaySeconds"] > int(graceful)


def test_the_blueprint_gives_every_variable_that_is_required_and_none_that_nobody_reads():
    given = {variable["key"] for variable in service()["envVars"]}

    assert [name for name in REQUIRED if name not in given] == []
    assert given - set(OFFERED) == set()


def test_the_blueprint_holds_no_secret():
    spoken = {variable["key"] for variable in service()["envVars"] if "value" in variable}

    assert spoken == {"SSL_REDIRECT", "WEB_CONCURRENCY", "WEB_THREADS", "PORT"}


def test_the_owners_login_is_the_databases_and_the_webs_is_not():
    sources = {variable["key"]: variable.get("fromDatabase") for variable in service()["envVars"]}
    (database,) = render()["databases"]

    assert sources["DATABASE_OWNER_URL"]["name"] == database["name"]
    assert sources["DATABASE_URL"] is None
    assert database["ipAllowList"] == []


def test_the_build_needs_no_secret():
    (build,) = of_image("RUN")

    given, command = variables(build)
    assert command[:3] == ["python", "manage.py", "collectstatic"]
    assert settings.SECRET_KEY not in given.values()
    assert "127.0.0.1:1/" in given["DATABASE_URL"]


def test_what_the_image_presets_is_offered_to_everybody():
    preset = {word.split("=")[0] for text in of_image("ENV") for word in text.split()}

    assert preset - set(OFFERED) == {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
