"""What looks into a model: the readable GPT-2 and what is built on it."""
