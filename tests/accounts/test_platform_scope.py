"""The platform scope of the admin site: for staff, for as long as the request lasts."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse

from accounts.middleware import PlatformScopeMiddleware
from tenants import scope
from tests.factories import make_superuser, make_user


def scope_inside(rf, path: str, user) -> scope.Kind:
    seen = []

    def view(request) -> HttpResponse:
        seen.append(scope.current().kind)
        return HttpResponse()

    middleware = PlatformScopeMiddleware(view)
    request = rf.get(path)
    request.user = user
    middleware(request)
    return seen[0]


@pytest.mark.django_db
def test_staff_in_the_admin_site_work_across_organisations(rf):
    assert scope_inside(rf, "/admin/", make_user(is_staff=True)) is scope.Kind.PLATFORM


@pytest.mark.django_db
def test_staff_elsewhere_do_not(rf):
    assert scope_inside(rf, "/o/lumen/", make_superuser()) is scope.Kind.NONE


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{}, {"is_staff": True, "is_active": False}])
def test_others_in_the_admin_site_do_not(rf, fields):
    assert scope_inside(rf, "/admin/", make_user(**fields)) is scope.Kind.NONE


def test_strangers_in_the_admin_site_do_not(rf):
    assert scope_inside(rf, "/admin/", AnonymousUser()) is scope.Kind.NONE


@pytest.mark.django_db
def test_the_scope_ends_before_the_answer_leaves(client):
    client.force_login(make_superuser())

    client.get("/admin/")

    assert scope.current() is scope.NONE
