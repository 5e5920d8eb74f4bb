"""What every JSON endpoint shares: bodies, lists, times."""
