"""The first page: the lesson."""
