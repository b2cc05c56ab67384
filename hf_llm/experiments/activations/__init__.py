"""Activation functions, one unit at a time: what they let through, when units die, and whether centring helps."""
