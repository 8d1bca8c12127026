"""The database roles that a scope stands for; `manage.py database_roles` makes them, once for a cluster."""

from tenants.scope import Kind, Scope

APP = "marketedge_app"
PERSON = "marketedge_person"
PLATFORM = "marketedge_platform"
ALL = (APP, PERSON, PLATFORM)

_ROLE_OF = {
    Kind.NONE: APP,
    Kind.ORGANISATION: APP,
    Kind.PERSON: PERSON,
    Kind.PLATFORM: PLATFORM,
    Kind.LOGIN: "none",
}


def session_settings(scope: Scope) -> tuple[str, str, str]:
    """The role, organisation and person that the database session must have; an empty id makes row security raise."""
    return _ROLE_OF[scope.kind], str(scope.organisation_id or ""), str(scope.person_id or "")
