"""Training: a loss, and steps down its gradient."""
