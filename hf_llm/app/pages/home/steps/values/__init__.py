"""What V adds to the weights of attention."""
