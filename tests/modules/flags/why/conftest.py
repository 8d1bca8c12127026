"""Who asks, and of whom."""

import pytest
from django.contrib.auth.models import Permission

from tenants import scope
from tests.factories import (
    make_member,
    make_organisation,
    make_superuser,
    make_user,
)


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
    """Staff who may look at flags and not change them."""
    user = make_user(is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(codename="view_flag"))
    client.force_login(user)
    return user
