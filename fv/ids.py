"""Names for rows: a prefix that says what it is, and 128 random bits. Pure, apart from randomness."""

import secrets


def new(prefix: str) -> str:
    """`key_` and 32 hexadecimal digits, for example."""
    return f"{prefix}_{secrets.token_hex(16)}"
