"""The rules raced on images, and Adam raced against its own halves.

A race is fair when each rule has looked for its learning rate in a grid of the same size. The rules of torch run in
the project's loop; Adam's halves, which torch does not have, in a loop of a few lines that gives the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import numpy as np
import pandas as pd

from hf_llm.config import UserError
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure, style
from hf_llm.experiments.optimizers.tasks import BETAS, ThreeParts, by_hand, by_the_loop, settings
from hf_llm.experiments.shared.textbook_optimizers import Adam
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification

IMAGES, STEPS = (1_000, 10_000), (40, 300)  # of the short and of the full version


@dataclass(frozen=True)
class Entrant:
    """One rule of the race: the middle of its grid of rates, its settings, and how it trains."""

    middle: float
    changes: dict = field(default_factory=dict)
    train: Callable[[ImageClassification, TrainingConfig], list[dict]] = by_the_loop

    def run(self, task: ImageClassification, config: TrainingConfig) -> list[dict]:
        """Return the evaluations; of a run that diverged, infinite losses."""
        try:
            return self.train(task, replace(config, **self.changes))
        except UserError:  # the loop refuses to go on with a loss that is not finite
            steps = range(config.eval_steps, config.max_steps + 1, config.eval_steps)
            return [{"step": step, "validation_loss": np.inf, "validation_accuracy": np.nan} for step in steps]


ENTRANTS = {
    "sgd": Entrant(0.3, {"optimizer": "sgd", "adam_beta1": 0.0}),
    "momentum": Entrant(0.05, {"optimizer": "sgd"}),
    "rmsprop": Entrant(3e-3, {"optimizer": "rmsprop"}),
    "adam": Entrant(6e-3, {"optimizer": "adam"}),
    "adamw": Entrant(6e-3, {"optimizer": "adamw", "weight_decay": 0.1}),
    "without_m": Entrant(6e-3, train=partial(by_hand, partial(Adam, betas=(None, BETAS[1])))),
    "without_v": Entrant(0.3, train=partial(by_hand, partial(Adam, betas=(BETAS[0], None)))),
}


def measure(study: Study) -> Tables:
    """Search each entrant's rate, a quarter of a decade apart, with at most two seeds, then run it with all."""
    images = ThreeParts.read(study.data)
    count, steps, half = study.pick(*IMAGES), study.pick(*STEPS), study.pick(1, 3)
    searches = [
        (name, entrant.middle * 10 ** (k / 4), seed) for name, entrant in ENTRANTS.items()
        for k in range(-half, half + 1) for seed in study.seeds[: study.pick(1, 2)]
    ]  # fmt: skip
    finals = [(name, seed) for name in ENTRANTS for seed in study.seeds]
    cells, searched, raced = study.track([*searches, *finals]), [], []
    for name, rate, seed in islice(cells, len(searches)):
        task = images.task(count, seed, images.choose)
        loss = ENTRANTS[name].run(task, settings(rate, seed, steps, eval_steps=steps))[-1]["validation_loss"]
        searched.append({"optimizer": name, "rate": rate, "seed": seed, "loss": float(np.nan_to_num(loss, nan=np.inf))})
    search = pd.DataFrame(searched)
    for name, seed in cells:
        rate, task = chosen_rates(search)[name], images.task(count, seed, images.measure)
        raced += [
            {"optimizer": name, "seed": seed, "step": record["step"], "loss": record["validation_loss"],
             "accuracy": record["validation_accuracy"]}
            for record in ENTRANTS[name].run(task, settings(rate, seed, steps))
        ]  # fmt: skip
    return {"search": search, "race": pd.DataFrame(raced)}


def chosen_rates(search: pd.DataFrame) -> pd.Series:
    """Return the rate with the lowest mean loss, by optimizer."""
    return best(search, "rate", "loss", by=["optimizer"]).set_index("optimizer")["rate"]


def findings(tables: Tables) -> list[Finding]:
    race = tables["race"]

    def lower_loss(key: str, worse: str, better: str, step: int = race["step"].max()) -> Finding:
        losses = {name: by_seed(race, "loss", optimizer=name, step=step) for name in (worse, better)}
        return above(key, losses[worse] - losses[better])

    return [
        lower_loss("momentum_on_images", "sgd", "momentum"),
        lower_loss("adam_on_images", "momentum", "adam"),
        lower_loss("adam_early_on_images", "momentum", "adam", step=race["step"].min()),
        lower_loss("bias_correction_of_rmsprop", "rmsprop", "without_m"),
        lower_loss("bias_correction_of_momentum", "momentum", "without_v"),
        lower_loss("first_moment_helps", "without_m", "adam"),
        lower_loss("second_moment_helps", "without_v", "adam"),
    ]


def draw_race(tables: Tables, say: Say, keys=("sgd", "momentum", "rmsprop", "adam", "adamw")) -> Figure:
    """Loss and accuracy on held-out images along training, each at its chosen rate."""
    figure, axes = new_figure(1, 2)
    for axis, column in zip(axes[0], ("loss", "accuracy")):
        curves(axis, tables["race"], "step", column, "optimizer", say, keys)
        label(axis, say("figures.race.step"), say(f"figures.race.{column}"), legend=column == "loss")
    return figure


def draw_rates(tables: Tables, say: Say) -> Figure:
    """The loss at the end for each rate of the grid; a ring marks the chosen one."""
    figure, ((axis,),) = new_figure(width=6)
    means = tables["search"].pivot_table(index="rate", columns="optimizer", values="loss", sort=False)
    for number, (name, rate) in enumerate(chosen_rates(tables["search"]).items()):
        losses = means[name].dropna()
        axis.plot(losses.index, losses, marker=".", label=name_of(name, say), **style(number))
        axis.plot(rate, losses[rate], "o", ms=9, mfc="none", color=style(number)["color"])
    axis.set(xscale="log", yscale="log")
    label(axis, say("figures.rates.rate"), say("figures.rates.loss"))
    return figure


def rates_and_losses(tables: Tables) -> pd.DataFrame:
    search, race = tables["search"], tables["race"]
    chosen = best(search, "rate", "loss", by=["optimizer"])
    grid = search.groupby("optimizer", sort=False, as_index=False).agg(lowest=("rate", "min"), highest=("rate", "max"))
    ends = race[race["step"] == race["step"].max()]
    means = ends.groupby("optimizer", as_index=False)[["loss", "accuracy"]].mean()
    return grid.merge(chosen, sort=False).drop(columns="edge").merge(means)


FIGURES = {
    "race": draw_race,
    "rates": draw_rates,
    "halves": partial(draw_race, keys=("adam", "without_m", "without_v", "sgd")),
}
SUMMARIES = {"race": rates_and_losses}
