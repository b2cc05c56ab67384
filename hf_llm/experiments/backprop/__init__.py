"""The experiment `backprop`: the chain rule by hand."""
