"""What the figures show, read back from their artists."""
