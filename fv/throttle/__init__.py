"""Guesses are limited per account and per address. flows.py is the story, policy.py the arithmetic."""
