"""The audit trail: what happened, in rows that cannot be edited, removed or reordered without being found out."""
