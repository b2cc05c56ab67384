"""Run an experiment and write its folder: what scripts, the web app and the tests call."""

import dataclasses
import importlib
import textwrap
from pathlib import Path

from tqdm.auto import tqdm

from hf_llm.data import MissingData
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.frame.lab import Lab
from hf_llm.experiments.frame.report import write_measured, write_result
from hf_llm.experiments.frame.result import Result
from hf_llm.experiments.frame.study import Report, Study
from hf_llm.texts import LANGUAGES
from hf_llm.training.launch import start_processes


def lab_named(name: str) -> Lab:
    """Return the experiment called `name`, one of `EXPERIMENTS`."""
    return importlib.import_module(f"hf_llm.experiments.{name.replace('-', '_')}.lab").LAB


def run_experiment(name: str, config: ExperimentConfig, report: Report) -> Result:
    """Run the experiment called `name`, one of `EXPERIMENTS`, and write `config.output_dir`; `report` as in `Study`.

    Raises:
        UserError: When its data is missing or the folder cannot be written.
    """
    lab, folder = lab_named(name), Path(config.output_dir)
    if config.rewrite:
        return write_result(lab, folder)
    # nets of this size gain nothing from a second thread, and the bits depend on the number
    start_processes(threads=1)
    data = config.data or "mnist"
    study = Study(range(config.seeds), config.quick, data, config.base, config.judge, report)
    try:
        tables = lab.measure(study)
    except MissingData as missing:
        if config.data or missing.source != "mnist":
            raise
        print(f"{missing}\n→ taking the embedded digits instead\n")
        study = dataclasses.replace(study, data="digits")
        tables = lab.measure(study)
    write_measured(lab, study, tables, folder)
    return write_result(lab, folder)


def run_and_print(name: str, config: ExperimentConfig) -> Result:
    """Run the experiment called `name` with a progress bar and print its answer; errors as in `run_experiment`."""
    with tqdm(unit="cell", disable=None) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        result = run_experiment(name, config, report)
    folder = Path(config.output_dir)
    for lang in LANGUAGES:
        print(textwrap.fill(result.answer(lang), 100), f"→ {folder / f'report.{lang}.md'}", "", sep="\n")
    return result
