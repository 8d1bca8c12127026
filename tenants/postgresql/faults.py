"""What is wrong with the database, in a few words that name no host, login or row: for pages, health and commands."""

import re

import psycopg
from django.db import DatabaseError

DRIVERS = (psycopg.Error, DatabaseError)

NO_ANSWER = "it does not answer in time"
READ_ONLY = "it can be read but not changed (a standby, or set to read-only)"

# By PostgreSQL's code where there is one; while connecting there is none, and the driver's words have to do.
_CODES = {
    "25006": READ_ONLY,
    "28000": "the login is not allowed in",
    "28P01": "the login or its password is refused",
    "3D000": "the database does not exist",
    "42501": "the login lacks a right that it needs",
    "42703": "a column is missing that this release needs",
    "42P01": "a table is missing that this release needs",
    "53100": "its disk is full",
    "53200": "it is out of memory",
    "53300": "too many connections",
    "55P03": "a lock was not free in time",
    "57014": "a statement took too long",
    "57P01": "it is being stopped",
    "57P03": "it is starting or stopping",
}
_WORDS = (
    ("password authentication failed", _CODES["28P01"]),
    ("no password supplied", _CODES["28P01"]),
    ("no pg_hba.conf entry", _CODES["28000"]),
    ("not permitted to log in", _CODES["28000"]),
    ("permission denied for database", _CODES["42501"]),
    ("unsupported startup parameter", "the pooler in front of it refuses our limits"),
    ("invalid response to ssl negotiation|expected authentication request", "what answers there is not PostgreSQL"),
    ("too many clients", _CODES["53300"]),
    ("too many connections", _CODES["53300"]),
    ("remaining connection slots", _CODES["53300"]),
    ("starting up", _CODES["57P03"]),
    ("shutting down", _CODES["57P03"]),
    ("recovery mode", _CODES["57P03"]),
    (r'role "[^"]*" does not exist', "a role that it needs does not exist"),
    (r'database "[^"]*" does not exist', _CODES["3D000"]),
    (r"invalid \S+ value|definition of service", "an option in its address has a value that is none"),
    ("refused", "the connection is refused: nothing listens there"),
    ("failed to resolve", "its host name is unknown"),
    ("could not translate host name", "its host name is unknown"),
    ("name or service not known", "its host name is unknown"),
    ("name servers", "its host name is not looked up in time: the name servers do not answer"),
    ("no route to host", "there is no way to its host"),
    ("network is unreachable", "there is no way to its host"),
    ("no answer within", NO_ANSWER),
    ("timeout expired", NO_ANSWER),
    ("timed out", NO_ANSWER),
    ("closed the connection", "it ended the connection"),
    ("connection is closed", "it ended the connection"),
    ("connection is lost", "it ended the connection"),
    ("ssl", "TLS could not be agreed upon"),
)
# The same in one word each, for metrics.
_KINDS = {
    READ_ONLY: "read_only",
    "the login is not allowed in": "login_not_allowed",
    "the login or its password is refused": "login_refused",
    "the database does not exist": "no_such_database",
    "the login lacks a right that it needs": "no_privilege",
    "a column is missing that this release needs": "schema",
    "a table is missing that this release needs": "schema",
    "a role that it needs does not exist": "no_such_role",
    "the pooler in front of it refuses our limits": "pooler",
    "what answers there is not PostgreSQL": "not_postgresql",
    "an option in its address has a value that is none": "malformed_address",
    "its disk is full": "disk_full",
    "it is out of memory": "out_of_memory",
    "too many connections": "too_many_connections",
    "a lock was not free in time": "lock_timeout",
    "a statement took too long": "statement_timeout",
    "it is being stopped": "stopping",
    "it is starting or stopping": "starting",
    "the connection is refused: nothing listens there": "refused",
    "its host name is unknown": "unknown_host",
    "its host name is not looked up in time: the name servers do not answer": "no_name_servers",
    "there is no way to its host": "unreachable",
    "it does not answer in time": "no_answer",
    "it ended the connection": "connection_ended",
    "TLS could not be agreed upon": "tls",
}


def describe(fault: BaseException) -> str:
    """The fault in words that may be shown to anybody; its type when it is none that we know."""
    cause = fault.__cause__ if isinstance(fault, DatabaseError) and fault.__cause__ else fault
    code = getattr(cause, "sqlstate", None)
    if code in _CODES:
        return _CODES[code]
    said = str(cause).lower()
    return next((words for sign, words in _WORDS if re.search(sign, said)), type(cause).__name__)


def kind(fault: BaseException) -> str:
    """The fault in one word: of these, or its type's name."""
    words = describe(fault)
    return _KINDS.get(words, words)


def is_read_only(fault: BaseException) -> bool:
    return isinstance(fault.__cause__, psycopg.errors.ReadOnlySqlTransaction)
