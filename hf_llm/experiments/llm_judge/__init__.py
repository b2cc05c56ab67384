"""Experiment: what happens when a language model is the judge of résumés and credit applications."""
