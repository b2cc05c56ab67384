"""What scripts and the web app do with an experiment: run it and write its folder, with the progress for each."""

import dataclasses
import functools
import importlib
from pathlib import Path

from tqdm.auto import tqdm

from hf_llm.data import MissingData
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.report import write_result
from hf_llm.experiments.result import Progress, Result
from hf_llm.experiments.words import SUPPORTED, shown, shown_interval
from hf_llm.training.launch import start_processes


def run_experiment(name: str, config: ExperimentConfig) -> Result:
    """Run the experiment called `name` with a progress bar, write `config.output_dir`, and print the findings.

    Raises:
        UserError: When its data is missing or the folder cannot be written.
    """
    with tqdm(unit="cell", disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        result = measure(name, config, progress)
    print(f"{result.title['en']} · {result.title['pt-BR']}")
    for finding in [*result.findings, *result.timings.findings]:
        value = f"{shown(finding.value, 'en')} {shown_interval(finding.interval, 'en')}"
        print(f"  {SUPPORTED[finding.supported]['en']:<15} {finding.claim['en']}")
        print(f"{'':<18}{finding.measure['en']}: {value}")
    folder = Path(config.output_dir)
    print(f"the report: {folder / 'report.pt-BR.md'} and {folder / 'report.en.md'}")
    return result


def measure(name: str, config: ExperimentConfig, progress: Progress) -> Result:
    """Run the experiment called `name` and write `config.output_dir`; errors as in `run_experiment`."""
    experiment = importlib.import_module(f"hf_llm.experiments.{name.replace('-', '_')}")
    start_processes()
    run = experiment.run if config.data else functools.partial(_run_on_mnist_or_digits, experiment)
    result = run(config, progress)
    write_result(result, name, Path(config.output_dir))
    return result


def _run_on_mnist_or_digits(experiment, config: ExperimentConfig, progress: Progress) -> Result:
    """Run on MNIST, or on the embedded digits where it is not at hand; labs without images never ask for it."""
    try:
        return experiment.run(dataclasses.replace(config, data="mnist"), progress)
    except MissingData as missing:
        print(f"{missing}\n→ taking the embedded digits instead\n")
        return experiment.run(dataclasses.replace(config, data="digits"), progress)
