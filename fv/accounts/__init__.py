"""Accounts and their logins: who exists, and which cookies name them."""
