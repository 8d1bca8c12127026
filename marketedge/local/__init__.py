"""The one-command start on a developer's machine: its own PostgreSQL, identity provider and web server."""
