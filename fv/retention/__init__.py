"""What is kept of a person goes: when its term is over or somebody asks, looked for afterwards, with a receipt."""
