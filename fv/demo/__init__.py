"""An account to look around in: made-up people, drawn photos, sessions of every kind."""
