"""Does the database hold the organisations apart, as the code says it should? Asked by `manage.py check_tenancy`."""
