"""What the scripts do with an experiment: run it with a progress bar, write its folder, print what was found."""

import importlib
from pathlib import Path

from tqdm.auto import tqdm

from hf_llm.data.images import mnist_or_digits
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.report import write_result
from hf_llm.experiments.result import Result
from hf_llm.experiments.words import SUPPORTED, shown, shown_interval
from hf_llm.training.launch import start_processes


def run_experiment(name: str, config: ExperimentConfig) -> Result:
    """Run the experiment called `name`, write `config.output_dir`, and print the findings.

    Raises:
        UserError: When its data is missing or the folder cannot be written.
    """
    experiment = importlib.import_module(f"hf_llm.experiments.{name.replace('-', '_')}")
    config.data = config.data or mnist_or_digits()
    start_processes()
    with tqdm(unit="cell", disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        result = experiment.run(config, progress)
    folder = Path(config.output_dir)
    write_result(result, name, folder)
    print(f"{result.title['en']} · {result.title['pt-BR']}")
    for finding in [*result.findings, *result.timings.findings]:
        value = f"{shown(finding.value, 'en')} {shown_interval(finding.interval, 'en')}"
        print(f"  {SUPPORTED[finding.supported]['en']:<15} {finding.claim['en']}")
        print(f"{'':<18}{finding.measure['en']}: {value}")
    print(f"the report: {folder / 'report.pt-BR.md'} and {folder / 'report.en.md'}")
    return result
