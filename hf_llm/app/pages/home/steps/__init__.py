"""The steps of the lesson, one folder an idea."""
