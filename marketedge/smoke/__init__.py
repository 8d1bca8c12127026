"""Does an instance work, as a person meets it from outside? `manage.py smoke URL` walks through it."""
