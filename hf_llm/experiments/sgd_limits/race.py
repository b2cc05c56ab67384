"""The race: one GPT-2 under every rule, each at the best rate of its grid."""

from itertools import islice

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, select
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure, style
from hf_llm.experiments.sgd_limits.rules import RULES, fit, rates_around, trial
from hf_llm.experiments.sgd_limits.text_model import (
    Size,
    frequency_tenths,
    gradients_by_block,
    losses_by_group,
    new_task,
    occurrences,
    read_parts,
    rms,
    size_of,
    windows_of,
)
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.experiments.shared.short_run import SEARCH_SEED

MIDDLES = {
    "sgd": 0.5, "momentum": 0.3, "adam": 3e-3, "adamw": 3e-3, "unclipped": 0.1, "blocks": 3e-4, "signs": 3e-4,
}  # of the grids of rates # fmt: skip
LONGER = 3  # times as many steps, for the two that are compared
CLASSIC = ("sgd", "momentum", "adam", "adamw")


def measure(study: Study) -> Tables:
    """Search each rule's rate with a seed of its own, then train with all; the other parts judge what is noted here."""
    size = size_of(study)
    parts = read_parts(size)
    searches = [(name, rate) for name in RULES for rate in rates_around(MIDDLES[name], study)]
    finals = [(name, seed, 1) for name in RULES for seed in study.seeds]
    finals += [(name, seed, LONGER) for name in ("momentum", "adam") for seed in study.seeds]
    cells = study.track([*searches, *finals])
    search = pd.DataFrame([
        {"optimizer": name, "rate": rate, "seed": SEARCH_SEED,
         "loss": trial(new_task(parts, size, SEARCH_SEED), name, rate, size.steps)}
        for name, rate in islice(cells, len(searches))
    ])  # fmt: skip
    rates = chosen_rates(search)["rate"]
    groups = frequency_tenths(parts.ids["train"], len(parts.corpus.tokenizer))
    tables = {"curves": [], "groups": [], "blocks": [], "tenths": occurrences(parts.ids["train"], groups)}
    for name, seed, times in cells:
        for table, rows in run(parts, size, groups, name, rates[name], seed, times).items():
            tables[table] += [{"optimizer": name, "times": times, "seed": seed, **row} for row in rows]
    return {"search": search, **{name: pd.DataFrame(rows) for name, rows in tables.items()}}


def run(
    parts: TextParts, size: Size, groups: np.ndarray, name: str, rate: float, seed: int, times: int
) -> dict[str, list[dict]]:
    """Train one model; return its curve, its loss by token frequency, and gradient and path of its blocks."""
    task, steps = new_task(parts, size, seed), size.steps * times
    judged = {part: windows_of(parts.ids[part], size) for part in ("train", "test")}
    weights = {block: weight.detach().clone() for block, weight in task.model.named_parameters()}
    at_start = gradients_by_block(task.model, judged["train"])
    every = steps // size.evaluations
    records = fit(task, name, rate, steps, eval_steps=every, logging_steps=every)
    at_end = gradients_by_block(task.model, judged["train"])
    return {
        "curves": [
            {"step": record["step"], "train": record["loss"], "validation": record["validation_loss"]}
            for record in records if "validation_loss" in record
        ],
        "groups": [
            {"part": part, **row} for part, windows in judged.items()
            for row in losses_by_group(task.model, windows, groups)
        ],
        "blocks": [
            {"block": block, "dimensions": weight.dim(), "gradient_before": at_start[block],
             "gradient_after": at_end[block], "path": rms(weight.detach() - weights[block])}
            for block, weight in task.model.named_parameters()
        ],
    }  # fmt: skip


def chosen_rates(search: pd.DataFrame) -> pd.DataFrame:
    """Return `rate` and `edge` by optimizer."""
    return best(search, "rate", "loss", by=["optimizer"]).set_index("optimizer")


def finer(search: pd.DataFrame) -> float:
    """Return by how many nats a finer grid could lower any rule's loss, at most: to the vertex of a parabola.

    The parabola goes through the best rate and its two neighbours; a best rate at an edge, or beside a divergence, has
    none.
    """
    gains = [0.0]
    for _, rows in search.groupby("optimizer"):
        losses = rows["loss"].to_numpy()
        place = int(losses.argmin())
        below, best_one, beyond = losses[place - 1 : place + 2] if 0 < place < len(losses) - 1 else [np.inf] * 3
        if np.isfinite([below, beyond]).all():
            gains.append((below - beyond) ** 2 / (8 * (below - 2 * best_one + beyond)))
    return float(max(gains))


def loss(tables: Tables, name: str, part: str = "test", times: int = 1) -> np.ndarray:
    """Return the mean loss at the end over all judged tokens of a part, (seeds,), in nats per token."""
    rows = select(tables["groups"], optimizer=name, part=part, times=times)
    return (rows["share"] * rows["loss"]).groupby(rows["seed"]).sum().to_numpy()


def behind_adam(tables: Tables, name: str, times: int = 1) -> np.ndarray:
    """Return by how many nats per token a rule's test loss is above that of Adam after as many steps, (seeds,)."""
    return loss(tables, name, times=times) - loss(tables, "adam", times=times)


def reached(tables: Tables) -> np.ndarray:
    """Return the step of the longer training at which SGD with momentum has reached Adam's end of the shorter one.

    That is the first evaluation whose validation loss is not above Adam's, (seeds,); the last one where none is.
    """
    adam = select(tables["curves"], optimizer="adam", times=1).groupby("seed")["validation"].last()
    longer = select(tables["curves"], optimizer="momentum", times=LONGER)
    longer = longer.pivot(index="step", columns="seed", values="validation")
    return (longer <= adam).idxmax().where((longer <= adam).any(), longer.index[-1]).to_numpy(dtype=float)


def findings(tables: Tables) -> list[Finding]:
    test = {name: loss(tables, name) for name in RULES}
    return [
        above("momentum_behind_adam", behind_adam(tables, "momentum")),
        above("momentum_behind_in_training", loss(tables, "momentum", "train") - loss(tables, "adam", "train")),
        above("longer_still_behind", loss(tables, "momentum", times=LONGER) - loss(tables, "adam")),
        above("behind_after_longer", behind_adam(tables, "momentum", LONGER)),
        above("gap_shrinks", behind_adam(tables, "momentum") - behind_adam(tables, "momentum", LONGER)),
        above("momentum_helps", test["sgd"] - test["momentum"]),
        above("adamw_over_adam", test["adam"] - test["adamw"]),
        above("clipping_helps", test["unclipped"] - test["momentum"]),
        above("signs_help", test["momentum"] - test["signs"]),
        above("signs_behind_adam", behind_adam(tables, "signs")),
    ]


def search_summary(tables: Tables) -> pd.DataFrame:
    """Return each rule's grid of rates, the chosen one, and its losses at the end."""
    grids = tables["search"].groupby("optimizer", sort=False)["rate"].agg(["min", "max"])
    chosen = chosen_rates(tables["search"]).loc[grids.index, "rate"]
    losses = {part: [loss(tables, name, part).mean() for name in grids.index] for part in ("train", "test")}
    table = grids.assign(rate=chosen, **losses).reset_index()
    return table.rename(columns={"min": "lowest", "max": "highest"})


def draw_race(tables: Tables, say: Say) -> Figure:
    """Training and validation loss of the four rules of the question along the steps."""
    table = select(tables["curves"], optimizer=list(CLASSIC), times=1)
    figure, axes = new_figure(1, 2, width=4.8)
    for axis, part in zip(axes[0], ("train", "validation")):
        curves(axis, table, "step", part, "optimizer", say, keys=CLASSIC)
        label(axis, say("figures.race.step"), say(f"figures.race.{part}"), legend=part == "train")
    return figure


def draw_rates(tables: Tables, say: Say) -> Figure:
    """Every trial of the search; a ring marks the chosen rate."""
    figure, ((axis,),) = new_figure(1, 1, width=7.0, height=4.2)
    for number, (name, rows) in enumerate(tables["search"].groupby("optimizer", sort=False)):
        rows = rows[np.isfinite(rows["loss"])]
        axis.plot(rows["rate"], rows["loss"], marker=".", label=name_of(name, say), **style(number))
        lowest = rows.loc[rows["loss"].idxmin()]
        axis.plot(lowest["rate"], lowest["loss"], "o", ms=10, mfc="none", color=style(number)["color"])
    axis.set_xscale("log")
    label(axis, say("figures.rates.rate"), say("figures.rates.loss"), legend=False)
    axis.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1, 1))  # beside lines that go everywhere
    return figure


FIGURES = {"race": draw_race, "rates": draw_rates}
SUMMARIES = {"race": search_summary}
