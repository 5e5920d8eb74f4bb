"""What support does in a terminal, for a person whose identity it has verified. It never sees a secret."""
