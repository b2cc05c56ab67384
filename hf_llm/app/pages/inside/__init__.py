"""The page that shows what happens inside a GPT-2."""
