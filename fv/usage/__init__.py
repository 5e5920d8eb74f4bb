"""How much of what an account used, by the day. What happens in test mode is not counted."""
