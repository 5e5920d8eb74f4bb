"""The one journey over accounts and the second factor: a password, then a code; and the way out."""
