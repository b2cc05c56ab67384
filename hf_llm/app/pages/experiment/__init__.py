"""What the pages of labs and questions show of an experiment: its committed result, and its short version live."""
