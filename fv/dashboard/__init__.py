"""The first page behind the gate."""
