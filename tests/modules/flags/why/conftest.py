"""Who asks, and of whom."""

import pytest

from tests.factories import (
    make_member,
    make_organisation,
    make_superuser,
)
from tests.modules.flags.in_admin import make_looker


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


@pytest.fixture
def lumen():
    return make_organisation("Lumen Cinemas", slug="lumen", sector="59140")


@pytest.fixture
def ada(lumen):
    return make_member(lumen, email="ada@lumen.example", name="Ada Byron")


@pytest.fixture
def looker(client):
    user = make_looker()
    client.force_login(user)
    return user
