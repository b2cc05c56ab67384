"""Flips: one thing changes that must not matter, nothing else; how many decisions turn, and which way."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, select, within
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.llm_judge.cases import Case, at, renamed
from hf_llm.experiments.llm_judge.judges import NAMED, Judge, judges
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import Trial, trial_of

HALF, CHANCE = 0.5, 0.05  # a judge that guesses turns so many decisions, give or take
CHANGES: dict[str, Callable[[Case, np.random.Generator], Case]] = {
    "same_gender_name": lambda case, random: renamed(case, case.group, random),
    "name_and_gender": lambda case, random: renamed(case, "women", random),
    "neighbourhood": lambda case, random: at(case, "south", random),
    "register": lambda case, random: replace(case, register="spoken"),
}
DRAWN = ("history", "fair", "fair_spoken", "given")  # the last where there is one


def measure(study: Study) -> Tables:
    rows, grid = [], grid_of(study)
    for seed, kind, judge in judges(study, (*NAMED, "fair_spoken")):
        trial = trial_of(seed, grid.tests)
        for change in CHANGES:
            before, after = both_sides(change, trial)
            rows.append({"judge": kind, "seed": seed, "change": change, **turned(judge, before, after)})
    return {"flips": pd.DataFrame(rows)}


def both_sides(change: str, trial: Trial) -> tuple[list[Case], list[Case]]:
    """Return cases before and after a change: men become women, the north the south, the formal is told as one speaks.

    Before it half of the cases are women's, but for the change of gender; the neighbourhood is as the group lives, but
    for its own change.
    """
    women, men = ([replace(case, register="formal") for case in side] for side in (trial.women, trial.men))
    cases = men if change == "name_and_gender" else [*women[::2], *men[1::2]]
    if change == "neighbourhood":
        cases = [at(case, "north", trial.random) for case in cases]
    return cases, [CHANGES[change](case, trial.random) for case in cases]


def turned(judge: Judge, before: Sequence[Case], after: Sequence[Case]) -> dict[str, float]:
    """Return the share of decisions that turn, and by how much the share of approvals moves."""
    one, other = judge.yes(before) > 0, judge.yes(after) > 0
    return {"flips": float((one != other).mean()), "shift": float(other.mean() - one.mean())}


def findings(tables: Tables) -> list[Finding]:
    table = tables["flips"]

    def of(judge: str, change: str, column: str = "flips") -> np.ndarray:
        return by_seed(table, column, judge=judge, change=change)

    of_chance = select(table, judge="random").groupby("seed")["flips"].mean()
    return [
        above("name_turns", 100 * (of("history", "name_and_gender") - of("history", "same_gender_name"))),
        above("name_lowers", -100 * of("history", "name_and_gender", "shift")),
        within("fair_name_shift", 100 * of("fair", "name_and_gender", "shift"), 100 * CHANCE),
        above("register_over_name", 100 * (of("fair", "register") - of("fair", "name_and_gender"))),
        above("register_seen", 100 * (of("fair", "register") - of("fair_spoken", "register"))),
        within("random_flips", 100 * (of_chance - HALF), 100 * CHANCE),
        exact("rubric_flips", 100 * select(table, judge="rubric")["flips"].max(), 0.0, side="within"),
        exact("rule_lowers", (-100 * of("biased_rule", "name_and_gender", "shift")).min(), 0.0),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    drawn = [judge for judge in DRAWN if judge in set(tables["flips"]["judge"])]
    figure, axes = new_figure(1, len(drawn), width=3.3, height=2.8)
    for axis, judge in zip(axes[0], drawn):
        dots(axis, select(tables["flips"], judge=judge), "flips", "change", say if judge == drawn[0] else None)
        axis.set_xlim(0, 1 / 2)
        label(axis, say("figures.turned"), "", say(f"names.{judge}"), legend=False)
    return figure


def turned_by(tables: Tables) -> pd.DataFrame:
    """Return the mean share of turned decisions and the mean shift of each change and judge."""
    return tables["flips"].groupby(["judge", "change"], sort=False)[["flips", "shift"]].mean().round(4).reset_index()


FIGURES = {"flips": draw}
SUMMARIES = {"turned": turned_by}
