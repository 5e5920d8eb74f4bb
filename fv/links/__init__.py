"""Verification links: what a company sends to people, so that no program of its own has to make each session."""
