"""What is kept of a person, on a page of their own, and what is kept of everybody, on a public one."""
