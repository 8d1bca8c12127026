"""A fault of the database is described as what it is: the words for one are not taken for another."""

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection

from tenants.postgresql import faults


def said_of(statement: str) -> str:
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute(statement)
    return faults.describe(caught.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT 1 FROM nowhere", "a table is missing that this release needs"),
        ("SELECT none FROM pg_class", "a column is missing that this release needs"),
        ("SELECT set_config('role', 'nobody', false)", "a role that it needs does not exist"),
    ],
)
def test_what_is_missing_in_the_database_is_not_the_database(statement, words):
    assert said_of(statement) == words


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        ('FATAL:  database "marketedge" does not exist', "the database does not exist"),
        ('FATAL:  role "marketedge_web" does not exist', "a role that it needs does not exist"),
        ('FATAL:  role "marketedge_web" is not permitted to log in', "the login is not allowed in"),
        ("fe_sendauth: no password supplied", "the login or its password is refused"),
        ('FATAL:  permission denied for database "marketedge"', "the login lacks a right that it needs"),
        ("FATAL:  unsupported startup parameter: options", "the pooler in front of it refuses our limits"),
        ("received invalid response to SSL negotiation: H", "what answers there is not PostgreSQL"),
        ('invalid target_session_attrs value: "x"', "an option in its address has a value that is none"),
        ('definition of service "x" not found', "an option in its address has a value that is none"),
    ],
)
def test_what_is_said_while_connecting_is_told_apart(driver, words):
    fault = OperationalError(driver)
    fault.__cause__ = psycopg.OperationalError(driver)

    assert faults.describe(fault) == words
