"""Generation: bounds, sampling, streaming."""
