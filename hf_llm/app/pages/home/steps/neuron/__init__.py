"""A neuron: weighted sum and activation."""
