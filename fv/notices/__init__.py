"""Telling the holder of an account what happened to it: a banner on the pages, and a mail."""
