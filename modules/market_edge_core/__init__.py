"""Market prices of competitors: load them, compare them. The pattern for other analytics modules."""
