"""Another key for everything that is sealed."""
