"""Models: the sizes of GPT-2, GPT-2 itself by transformers and as readable code, and loading any causal LM."""
