"""A lab of several parts, each of which measures one thing and can be read alone."""

from collections.abc import Callable, Iterable

import numpy as np

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.result import Chart, Finding, Progress, Table

Outcome = tuple[list[Finding], dict[str, Table], dict[str, Chart]]
Part = Callable[[int, bool, Progress], Outcome]  # (seeds, quick, progress)


def run_parts(parts: Iterable[Part], config: ExperimentConfig, progress: Progress) -> Outcome:
    """Run the parts one after the other, each an equal share of the progress; return what all of them found."""
    parts = list(parts)
    findings, tables, charts = [], {}, {}
    for number, part in enumerate(parts):

        def share(done: int, total: int, number: int = number) -> None:
            progress(100 * number + 100 * done // total, 100 * len(parts))

        found, tabulated, drawn = part(config.seeds, config.quick, share)
        findings, tables, charts = [*findings, *found], tables | tabulated, charts | drawn
    return findings, tables, charts


def rounded(values) -> list:
    """Return an array as nested lists of numbers with four digits: what a chart needs of a curve, in a small file."""
    return np.vectorize(lambda value: float(f"{value:.4g}"))(np.asarray(values, dtype=np.float64)).tolist()
