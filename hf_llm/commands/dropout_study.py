"""The exercise in full: a Linear + ReLU network with several p, on few images and on all.

    hf-llm dropout_study --output_dir results/dropout-study
    hf-llm dropout_study --output_dir runs/mnist/dropout-study --quick

Writes a report in Portuguese and English that answers what dropout changes, the curves of loss and accuracy, and every
measured value as CSV. The full study takes about a quarter of an hour on two cores.
"""

from hf_llm.config import command, parse
from hf_llm.experiments.config import ExperimentConfig


@command
def main() -> None:
    config = parse(ExperimentConfig, description=__doc__)
    from hf_llm.experiments.run import run_and_print

    run_and_print("dropout-study", config)
