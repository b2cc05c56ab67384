"""The seven questions at the end."""
