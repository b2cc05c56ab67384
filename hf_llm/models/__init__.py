"""Models: GPT-2 of any size, image classifiers, loading any causal LM, and the rule that refuses foreign code."""
