"""One encrypted file of everything an installation has, and the way back from it."""
