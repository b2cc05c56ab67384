"""The lecture's exercise: a Linear + ReLU net without dropout and with p from 0.1 to 0.7, on much and on little data.

    python scripts/dropout_study.py --output_dir results/dropout-study
    python scripts/dropout_study.py --output_dir runs/mnist/dropout-study --quick

Writes loss and accuracy curves with bands, the gap, test accuracy with 95 % intervals, and a report in Portuguese and
English that says what the data says. The full study trains 120 nets, half an hour on two cores.
"""

from hf_llm.config import command, parse
from hf_llm.experiments.config import ExperimentConfig


@command
def main() -> None:
    config = parse(ExperimentConfig, description=__doc__)
    from hf_llm.experiments.run import run_and_print

    run_and_print("dropout-study", config)


if __name__ == "__main__":
    main()
