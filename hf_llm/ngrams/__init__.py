"""Byte n-grams: what counting alone predicts, and what it writes."""
