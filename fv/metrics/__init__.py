"""How the service is doing, in numbers: for whoever runs it, and over all accounts."""
