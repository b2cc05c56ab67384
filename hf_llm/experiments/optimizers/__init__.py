"""The experiment `optimizers`."""
