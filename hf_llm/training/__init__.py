"""The training loop and what it trains: tasks, optimizer, precision."""
