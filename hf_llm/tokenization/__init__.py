"""Tokenization: train a BPE, replay its merges, compare encodings, prepare token arrays."""
