"""Background work. The database says what is due, so a crash at any point loses nothing."""
