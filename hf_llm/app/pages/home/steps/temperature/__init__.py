"""The next token and the temperature."""
