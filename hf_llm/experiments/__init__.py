"""One file a question or lab. `EXPERIMENTS` names them; each has `run(config, progress) -> Result`."""

EXPERIMENTS = (
    "backprop",
    "activations",
    "losses",
    "optimizers",
    "feature-scaling",
    "regularization",
    "architectures",
    "dropout",
)
