"""Dropout in training and in evaluation."""
