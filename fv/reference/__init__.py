"""The API, described: as a document for programs and as a page for people."""
