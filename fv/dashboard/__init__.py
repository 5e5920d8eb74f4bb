"""What an account sees first."""
