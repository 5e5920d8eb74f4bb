"""Setting a password again: by a one-time link from support, or by the person who knows the old one."""
