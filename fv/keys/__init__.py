"""API keys: what a program shows instead of a login."""
