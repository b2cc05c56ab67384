"""Ids are addresses of rows."""
