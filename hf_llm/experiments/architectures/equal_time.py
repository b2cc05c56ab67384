"""The four families again, each trained for the same time: a fast net sees more images than a slow one.

Time is the CPU time of the training loop alone, in one thread. On a machine that others use too, a process waits, and
waiting counts on the wall clock but not here. The learning rate follows the time instead of the steps, so that a
training ends when its time is up, wherever that is. Whether the times came out equal is a finding of its own, and
where they did not the comparisons of accuracy are inconclusive.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import nn

from hf_llm.experiments.architectures import training
from hf_llm.experiments.architectures.training import CONVOLUTIONAL, FAMILIES, Images, family, more_accurate, race
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, means
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification
from hf_llm.training.optimizer import learning_rate, make_optimizer

SECONDS = (0.5, 4.0)  # of the short and of the full version
TOLERANCE = 0.05  # of the seconds: what still counts as equal
TICKS = 1000  # that the time is divided in, so that the curve of the learning rate can be asked for a moment of it


def measure(study: Study) -> Tables:
    """Search each net's rate and train it, always in the same time."""
    images, seconds = Images.of(study), study.pick(*SECONDS)

    def fit(net, model, rate, seed):
        steps, used = fit_for(seconds, images.task(model, seed), training.adam_run(TICKS, rate, seed))
        seen = steps * images.batch
        return {"steps": steps, "images": seen, "seconds": used, "budget": seconds, "training": seen / used}

    def measured(model: nn.Module) -> dict:
        began = time.process_time()
        scores = images.measure(model)
        return {**scores, "inference": len(images.test) / (time.process_time() - began)}

    return race(study, images, "equal_time", {name: partial(family, name) for name in FAMILIES}, fit, measured)


def fit_for(
    seconds: float, task: ImageClassification, config: TrainingConfig, clock: Callable[[], float] = time.process_time
) -> tuple[int, float]:
    """Train until `seconds` on `clock` are used up, to within half a step; return the steps, and what they took.

    The `max_steps` of the learning-rate curve of `config` are spread over the seconds.
    """
    model, optimizer = task.model.train(), make_optimizer(task.model, config)
    began, used, steps = clock(), 0.0, 0
    while used + (used / steps if steps else 0.0) / 2 < seconds:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(used / seconds * config.max_steps, config)
        batch = task.batch(steps, micro_step=0, rank=0)
        task.loss(model, batch, task.items(batch)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        steps, used = steps + 1, clock() - began
    return steps, used


def findings(tables: Tables) -> list[Finding]:
    table = tables["equal_time"]
    apart = (table["seconds"] / table["budget"] - 1).abs().max()
    equal = exact("times_are_equal", apart, TOLERANCE, "below", timed=True)
    better = [more_accurate(f"{name}_over_mlp_in_time", table, name, "mlp", timed=True) for name in CONVOLUTIONAL]
    if equal.supported == "no":  # then a difference in accuracy can be one in time
        better = [replace(finding, interval=(-math.inf, math.inf)) for finding in better]
    times = {net: by_seed(table, "training", net="mlp") / by_seed(table, "training", net=net) for net in CONVOLUTIONAL}
    return [equal, *better, *(above(f"mlp_faster_than_{name}", times[name], 1.0, "log", timed=True) for name in times)]


def draw(tables: Tables, say: Say) -> Figure:
    """Accuracy with equal parameters and steps, accuracy in equal time, and speed; a line a family."""
    figure, (axes,) = new_figure(1, 3, height=2.6)
    panels = (("equal_parameters", "accuracy"), ("equal_time", "accuracy"), ("equal_time", "training"))
    for axis, (table, column) in zip(axes, panels):
        dots(axis, tables[table], column, "net", say if axis is axes[0] else None, keys=FAMILIES)
        label(axis, say(f"figures.families.{column}"), "", legend=False)
        axis.set_title(say(f"figures.families.{table if column == 'accuracy' else 'speed'}"), fontsize=10.5)
    axes[-1].set_xscale("log")
    return figure


def summary(tables: Tables) -> pd.DataFrame:
    columns = ["seconds", "rate", "steps", "images", "accuracy", "training", "inference"]
    table = means(tables["equal_time"], ["net"], columns)
    return table.assign(**{name: np.rint(table[name]).astype(int) for name in ("steps", "images")})


FIGURES = {"families": draw}
SUMMARIES = {"equal_time": summary}
TIMED = {"equal_time", "equal_time_rates"}
