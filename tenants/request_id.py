"""Which request is being answered? Its id goes into log lines, audit events and error pages."""

from contextvars import ContextVar

current: ContextVar[str] = ContextVar("request_id", default="")
