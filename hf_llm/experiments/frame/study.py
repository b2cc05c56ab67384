"""What a part of an experiment is given: its seeds, the short or the full grid, the images, and whom to report to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

Cell = TypeVar("Cell")
Value = TypeVar("Value")
Tables = dict[str, pd.DataFrame]  # tidy: a row is one measurement, its columns are settings, `seed` and values
Report = Callable[[int, int], None]  # (done, total)


@dataclass(frozen=True)
class Study:
    """One run of an experiment."""

    seeds: range  # of the varied factor, 0 and up
    quick: bool = False  # whether this is the short version, which is good for looking and not for concluding
    data: str = "digits"  # name or folder of the images, for parts that train on images
    base: str | None = (
        None  # folder or Hub id of a causal LM, for parts that begin with a pretrained one; None: our own
    )
    judge: str | None = None  # the same, for parts that let a causal LM judge
    report: Report = lambda done, total: None  # called with the cells that are done and all there are

    def pick(self, quick: Value, full: Value) -> Value:
        """Return the value for the short or for the full version."""
        return quick if self.quick else full

    def track(self, cells: Iterable[Cell]) -> Iterator[Cell]:
        """Yield the cells of a grid and report how many are done."""
        cells = list(cells)
        for done, cell in enumerate(cells):
            self.report(done, len(cells))
            yield cell
        self.report(len(cells), len(cells))


def select(table: pd.DataFrame, **settings) -> pd.DataFrame:
    """Return the rows with these settings; a list allows several values.

    Raises:
        KeyError: When there is no such row: a finding on nothing would be silent.
    """
    rows = table
    for column, value in settings.items():
        rows = rows[rows[column].isin(value)] if isinstance(value, list) else rows[rows[column] == value]
    if rows.empty:
        raise KeyError(f"no row with {settings}")
    return rows


def by_seed(table: pd.DataFrame, column: str, **settings) -> np.ndarray:
    """Return one value a seed, in the order of the seeds, (seeds,): what a paired difference is made of.

    Raises:
        KeyError: When there is no row with these settings.
        ValueError: When a seed has several.
    """
    rows = select(table, **settings).sort_values("seed")
    if rows["seed"].duplicated().any():
        raise ValueError(f"{settings} leaves several rows a seed")
    return rows[column].to_numpy(dtype=np.float64)


def means(table: pd.DataFrame, by: list[str], values: list[str]) -> pd.DataFrame:
    """Return the mean of the columns `values` for each group of the columns `by`, one row a group, in their order."""
    return table.groupby(by, sort=False)[values].mean().reset_index()


def best(table: pd.DataFrame, setting: str, score: str, by: list[str], largest: bool = False) -> pd.DataFrame:
    """Return for each group the value of `setting` whose mean score over the seeds is best, and whether it is an edge.

    A row of `table` is a trial: the columns `by` (what was searched for each), `setting` (what was searched, a learning
    rate for instance), `seed` and `score`, infinite or NaN where it diverged. The `largest` score is the best one of an
    accuracy. A row of what is returned: `by`, `setting`, and `edge`, whether it is the first or the last of its grid.
    """
    worst = -np.inf if largest else np.inf
    scores = means(table.fillna({score: worst}), [*by, setting], [score])
    groups = scores.groupby(by, sort=False)
    chosen = groups[score].idxmax() if largest else groups[score].idxmin()
    rows = scores.loc[chosen, [*by, setting]].reset_index(drop=True)
    ends = groups[setting].agg(["min", "max"]).reset_index(drop=True)
    is_edge = ends.eq(rows[setting], axis=0).any(axis=1) & (ends["min"] != ends["max"])
    return rows.assign(edge=is_edge)
