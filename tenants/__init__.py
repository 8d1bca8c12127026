"""Whose data it is: organisations, memberships, scope, row security and audit."""
