"""What `manage.py flags` can do, one class for each of its verbs."""
