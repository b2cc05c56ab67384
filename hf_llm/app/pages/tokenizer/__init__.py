"""The page on tokenizers."""
