"""The lecture's exercise in one command: MNIST without dropout and with it, compared.

    hf-llm exercise

Trains runs/mnist/mlp and runs/mnist/mlp-dropout, then the short dropout study, whose report, with the curves of loss
and accuracy, goes to runs/mnist/dropout-study. Without MNIST at hand it takes the embedded digits and writes to
runs/digits. A second call measures the study again and does not train the two networks again.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import command, load_yaml, parse
from hf_llm.data.images import mnist_or_digits
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.recipes.classifier_config import ClassifierConfig

RECIPE = "mnist/mlp"
DROPOUT = 0.3


@dataclass
class ExerciseConfig:
    """The exercise has no settings: `hf-llm train_mnist` and `hf-llm dropout_study` have them all."""


@command
def main() -> None:
    parse(ExerciseConfig, description=__doc__)
    data = mnist_or_digits()
    config = dataclasses.replace(ClassifierConfig(**load_yaml(ClassifierConfig, RECIPE)), data=data)
    runs = Path("runs") / data
    from hf_llm.experiments.run import run_and_print
    from hf_llm.recipes.classifier import train_classifier

    for name, dropout in (("mlp", 0.0), ("mlp-dropout", DROPOUT)):
        train_classifier(dataclasses.replace(config, dropout=dropout, output_dir=str(runs / name)))
    study = ExperimentConfig(output_dir=str(runs / "dropout-study"), quick=True, data=data)
    run_and_print("dropout-study", study)
