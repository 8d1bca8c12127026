"""Feature flags: models, evaluation, admin."""
