"""Run one experiment and write its results: result.json, figures, and a report in Portuguese and English.

    python scripts/discuss.py optimizers --output_dir results/optimizers
    python scripts/discuss.py optimizers --output_dir runs/discuss/optimizers --quick
    python scripts/discuss.py all --output_dir runs/discuss --quick

backprop         forward and backward by hand, equal to autograd
activations      values, derivatives, saturation, dead units
losses           mean squared error and cross-entropy, each where it belongs and where it does not
optimizers       SGD, momentum, RMSprop, Adam, AdamW from their formulas, raced
feature-scaling  the condition number against the steps to converge
regularization   dropout, weight decay, batch norm, early stopping, alone and together
architectures    MLP, LeNet, ResNet, EfficientNet at equal parameters and at equal time
dropout          the exercise: no dropout and p from 0.1 to 0.7, on much and on little data
"""

from dataclasses import dataclass, field
from typing import Literal

from hf_llm.config import command, parse
from hf_llm.experiments.config import EXPERIMENTS, ExperimentConfig


@dataclass(kw_only=True)
class DiscussConfig(ExperimentConfig):
    name: Literal[("all", *EXPERIMENTS)] = field(
        metadata={"help": "which experiment; all runs each into a folder of its own", "positional": True}
    )


@command
def main() -> None:
    config = parse(DiscussConfig, description=__doc__)
    from hf_llm.experiments.command import run_experiment

    if config.name != "all":
        run_experiment(config.name, config)
        return
    folder = config.output_dir
    for name in EXPERIMENTS:
        config.output_dir = f"{folder}/{name}"
        run_experiment(name, config)


if __name__ == "__main__":
    main()
