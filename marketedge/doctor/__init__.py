"""What is wrong with this installation? `manage.py doctor` asks each of these questions, side by side."""
