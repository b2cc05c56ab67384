"""The run folder: manifest, log, checkpoints, lock, model card."""
