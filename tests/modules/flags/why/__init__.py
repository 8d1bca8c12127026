"""The page that answers why a flag is on or off."""
