"""The numbered steps of the database schema, one file each."""
