"""Tries it: what does the web see without an organisation, and of the neighbours while it is in one?"""

from django.db import DatabaseError, connection, transaction
from psycopg.errors import InsufficientPrivilege, InvalidTextRepresentation

from tenants import ownership, scope
from tenants.models import Organisation
from tenants.operations import Report

MEND = "Stop the web processes: one organisation sees another's rows. Then see the lines about row security."


def examine(shared: list[str]) -> Report:
    """As the web's login, in its roles; nothing is changed. `shared` tables hold rows of several organisations."""
    report, tables = Report(), [model._meta.db_table for model in ownership.tenant_models()]
    _try_without_organisation(report, tables)
    _try_inside_each(report, tables, shared)
    return report


def _try_without_organisation(report: Report, tables: list[str]) -> None:
    with scope.nobody():
        answers = {table: _answer(table) for table in tables}
    for table, answer in answers.items():
        if answer not in {"refused", "empty"}:
            report.problem("probe", f"without an organisation, {table} {answer}", MEND)
    refused = sum(answer == "refused" for answer in answers.values())
    if refused + sum(answer == "empty" for answer in answers.values()) == len(tables):
        empty = f", {len(tables) - refused} are empty" if refused < len(tables) else ""
        report.ok("probe", f"without an organisation, {refused} tables refuse to answer{empty}")


def _answer(table: str) -> str:
    """What a bare question meets: it must be refused, and cannot be where no row is there to be hidden."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM (SELECT 1 FROM "{table}" LIMIT 1) row')  # noqa: S608 - our own tables
            return "shows rows" if cursor.fetchone()[0] else "empty"
    except DatabaseError as fault:
        if isinstance(fault.__cause__, (InvalidTextRepresentation, InsufficientPrivilege)):
            return "refused"
        raise


def _try_inside_each(report: Report, tables: list[str], shared: list[str]) -> None:
    """In the first and the last organisation: two neighbours, if there are two."""
    everybody = Organisation.objects.order_by("pk")
    neighbours = [organisation for organisation in (everybody.first(), everybody.last()) if organisation]
    leaking: dict[str, int] = {}
    for organisation in neighbours:
        with scope.organisation(organisation.pk), connection.cursor() as cursor:
            for table in tables:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" WHERE organisation_id IS DISTINCT FROM %s',  # noqa: S608
                    [organisation.pk],
                )
                leaking[table] = leaking.get(table, 0) + cursor.fetchone()[0]
    for table, count in leaking.items():
        if count:
            report.problem("probe", f"inside an organisation, {table} shows {count} rows of others", MEND)
    if not shared:
        report.note("probe", "no table holds rows of two organisations, so there is nothing that could leak")
    elif not any(leaking.values()):
        report.ok(
            "probe",
            f"inside an organisation no row of another shows; {len(shared)} of {len(tables)} tables hold such rows",
        )
