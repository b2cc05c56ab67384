"""The experiment `regularization`: dropout, L2, batch norm and early stopping, alone and together."""
