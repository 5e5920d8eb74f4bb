"""Webhooks: addresses of an account that are told when a session is decided."""
