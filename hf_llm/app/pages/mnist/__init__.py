"""The page of handwritten digits."""
