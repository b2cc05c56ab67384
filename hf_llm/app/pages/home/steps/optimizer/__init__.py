"""Optimizers in a narrow valley."""
