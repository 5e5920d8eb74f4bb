"""Plans, what a month costs, the limit of sessions, and invoices."""
