"""When TF-IDF is the better choice."""
