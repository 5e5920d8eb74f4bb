"""What the end user sees: consent, three photos, the end."""
