"""The causal mask."""
