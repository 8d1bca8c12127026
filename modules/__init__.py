"""The registry, the catalogue, entitlements, the access decision, and the analytics modules themselves."""
