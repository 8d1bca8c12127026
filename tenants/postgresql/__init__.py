"""The database backend: Django's own for PostgreSQL, following the current scope."""
