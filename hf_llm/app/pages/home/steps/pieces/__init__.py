"""Tokens: what a BPE makes of a sentence."""
