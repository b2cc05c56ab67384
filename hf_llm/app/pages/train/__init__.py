"""The page on which a GPT-2 is trained."""
