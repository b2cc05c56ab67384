"""What is memorised."""
