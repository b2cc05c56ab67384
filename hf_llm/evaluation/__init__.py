"""Evaluation: loss, perplexity, bits per byte, memorisation; `metrics/` holds the modules for `evaluate`."""
