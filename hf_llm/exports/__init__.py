"""A finished GPT-2 in the files of other programs, each tried in its own engine before it is called done."""
