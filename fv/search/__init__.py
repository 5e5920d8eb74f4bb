"""Recognising a person again: who looks for whom, why, and what was found."""
