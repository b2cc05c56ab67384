"""To the Hub and back: one commit up, one verified folder down."""
