"""The experiment `feature-scaling`: what features on one scale are worth to gradient descent."""
