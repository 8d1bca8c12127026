"""What the image holds starts, serves and is released by the very commands of the deployment files."""

import json
import re
import shlex

import pytest

from tests.deployment.conftest import Image
from tests.deployment.files import of_image, procfile
from tests.marketedge.serving import ask, wait_for

pytestmark = pytest.mark.served
START = json.loads(of_image("CMD")[0])
HEALTHCHECK = json.loads(of_image("HEALTHCHECK")[0].partition("CMD ")[2])


@pytest.fixture(scope="session")
def released(image: Image) -> Image:
    """After the release step, given as it stands in the Procfile, with the owner's login."""
    owner = {"DATABASE_OWNER_URL": image.database.owner_url}
    image.database.must("database_roles", "--apply")
    code, output = image.run(shlex.split(procfile()["release"]), **owner)
    assert code == 0, output
    return image


def test_building_leaves_the_static_files_under_hashed_names(image):
    manifest = json.loads((image.folder / "static_collected" / "staticfiles.json").read_text())

    assert re.fullmatch(r"marketedge/marketedge\.\w+\.css", manifest["paths"]["marketedge/marketedge.css"])


def test_it_cannot_write_to_its_own_folder(image):
    code, output = image.run(["python", "-c", "open('written', 'w')"])

    assert (code, "PermissionError" in output or "Read-only" in output) == (1, True)


def test_it_starts_and_serves_pages_with_their_static_files(released):
    with released.serving(START) as port:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/healthz/ready", seconds=30)
        status, page, _ = ask(f"{address}/sign-in/")
        (sheet,) = re.findall(r'href="(/static/marketedge/marketedge\.\w+\.css)"', page)

        assert (status, ask(f"{address}{sheet}")[0]) == (200, 200)


def test_the_healthcheck_is_green_once_the_server_has_started_and_red_before(released):
    red, said = released.run(HEALTHCHECK, BIND="127.0.0.1:1")
    with released.serving(START) as port:
        wait_for(f"http://127.0.0.1:{port}/healthz/startup", seconds=30)
        green, _ = released.run(HEALTHCHECK, BIND=f"127.0.0.1:{port}")

    assert (red, said, green) == (1, "no answer (ConnectionRefusedError)\n", 0)


def test_the_healthcheck_is_red_while_the_start_is_not_over(image):
    with image.serving(START, DATABASE_URL="postgres://web:pw@127.0.0.1:1/nowhere") as port:
        wait_for(f"http://127.0.0.1:{port}/healthz/live", seconds=30)

        code, said = image.run(HEALTHCHECK, BIND=f"127.0.0.1:{port}")

    assert (code, said.startswith("answer 503")) == (1, True)


def test_a_second_release_finds_nothing_to_do(released):
    code, output = released.run(shlex.split(procfile()["release"]), DATABASE_OWNER_URL=released.database.owner_url)

    assert (code, output.count("0 changes")) == (0, 2), output


def test_a_release_that_cannot_migrate_does_not_go_on(released):
    code, output = released.run(shlex.split(procfile()["release"]))

    assert (code, "Set DATABASE_OWNER_URL" in output, "bootstrap" in output) == (2, True, False)


def test_a_server_without_settings_says_which_are_missing(image):
    nothing = dict.fromkeys(image.production.keys() - image.preset.keys(), "")

    code, output = image.run(START, **nothing)

    assert (code, "SECRET_KEY is not set" in output) == (2, True)
