"""From photos to findings: pure, without Flask and without a database. What it needs is in the extra `pipeline`."""
