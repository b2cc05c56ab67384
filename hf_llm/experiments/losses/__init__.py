"""Squared error and cross-entropy, each where it belongs and where it does not."""
