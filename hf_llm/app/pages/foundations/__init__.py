"""The page of the labs."""
