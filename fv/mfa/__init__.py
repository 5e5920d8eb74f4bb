"""The second factor: an authenticator (TOTP) that must be confirmed, and ten backup codes."""
