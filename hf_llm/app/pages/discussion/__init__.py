"""The page of the lecture's questions."""
