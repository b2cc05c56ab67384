"""The block, and which part of it is missed."""
