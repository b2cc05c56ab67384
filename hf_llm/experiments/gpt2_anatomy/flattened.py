"""Flattened: what is lost when attention may no longer choose where to look, in a head, a layer, or everywhere.

The trained model goes on with other weights: the same for all earlier tokens; the mean weight of each distance; or
those that it computed for another text, as sharp as its own and in the wrong place.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, select
from hf_llm.experiments.frame.charts import Figure, error_bars, label, name_of, new_figure, style
from hf_llm.experiments.gpt2_anatomy.training import Grid, grid_of, trained
from hf_llm.experiments.gpt2_anatomy.windows import bits_per_byte, windows_of
from hf_llm.explain.gpt2_explained import GPT2Explained

HOWS = ("uniform", "distance", "other_text")
WORTH = 0.05  # bits per byte from which a loss counts
NAME = "layer.{}.attention.weights"


def measure(study: Study) -> Tables:
    grid, rows = grid_of(study), []
    known, asked = windows_of(grid, "validation", grid.windows), windows_of(grid, "test", grid.windows // 2)
    wheres = [
        *((f"head_{layer + 1}_{head + 1}", [layer], [head]) for layer, head in np.ndindex(grid.layers, grid.heads)),
        *((f"layer_{layer + 1}", [layer], list(range(grid.heads))) for layer in range(grid.layers)),
        ("all", list(range(grid.layers)), list(range(grid.heads))),
    ]
    for seed in study.track(study.seeds):
        model = GPT2Explained.from_transformers(trained(grid, "whole", seed).model)
        usual = mean_by_distance(model, known[:, :-1])
        rows.append({"where": "nowhere", "how": "own", "seed": seed, "bits": bits(grid, model, asked)})
        for how in HOWS:
            for where, layers, heads in wheres:
                edit = {NAME.format(layer): instead(how, usual[layer], heads) for layer in layers}
                rows.append({"where": where, "how": how, "seed": seed, "bits": bits(grid, model, asked, edit)})
    return {"flattened": pd.DataFrame(rows)}


@torch.inference_mode()
def bits(grid: Grid, model: GPT2Explained, windows: Tensor, edit: dict | None = None) -> float:
    """Return bits per byte of the second half of each window (N, T + 1), with the edits of the weights."""
    logits, _ = model(windows[:, :-1], edit=edit)  # (N, T, vocab)
    half = grid.context // 2
    losses = F.cross_entropy(logits[:, half:].flatten(0, 1), windows[:, half + 1 :].flatten(), reduction="none")
    return bits_per_byte(grid, losses, windows[:, half + 1 :].flatten())


@torch.inference_mode()
def mean_by_distance(model: GPT2Explained, ids: Tensor) -> list[Tensor]:
    """Return for each layer the mean weight that lies so many tokens back, in every row: (n_head, T, T).

    The mean is over windows (N, T) and queries; each row is then divided by its sum, so that it adds up to one.
    """
    T = ids.shape[1]
    _, seen = model(ids, capture=[NAME.format("*")])
    distance = torch.arange(T)[:, None] - torch.arange(T)  # (T, T), negative for the future
    rows = []
    for weights in seen.values():
        mean = weights.mean(dim=0)  # (n_head, T, T)
        by_distance = torch.stack(
            [mean.diagonal(-back, dim1=1, dim2=2).mean(dim=1) for back in range(T)]
        )  # (T, n_head)
        usual = by_distance[distance.clamp(min=0)].permute(2, 0, 1).tril()  # (n_head, T, T)
        rows.append(usual / usual.sum(dim=-1, keepdim=True))
    return rows


def instead(how: str, usual: Tensor, heads: list[int]) -> Callable[[Tensor], Tensor]:
    """Return the edit that gives `heads` other weights; `usual` are those by distance, (n_head, T, T)."""

    def edit(weights: Tensor) -> Tensor:  # (N, n_head, T, T)
        T = weights.shape[-1]
        other = {
            "uniform": lambda: torch.ones(T, T).tril() / torch.arange(1, T + 1)[:, None],
            "distance": lambda: usual[heads],
            "other_text": lambda: weights.roll(1, dims=0)[:, heads],
        }[how]()
        changed = weights.clone()
        changed[:, heads] = other
        return changed

    return edit


def losses(tables: Tables) -> pd.DataFrame:
    """Return the table with `lost`: by how many bits per byte it is worse than with the model's own weights."""
    table = tables["flattened"]
    own = select(table, where="nowhere").set_index("seed")["bits"]
    return table.assign(lost=table["bits"] - table["seed"].map(own))


def findings(tables: Tables) -> list[Finding]:
    table = losses(tables)

    def lost(where: str, how: str) -> np.ndarray:
        return by_seed(table, "lost", where=where, how=how)

    heads = [where for where in table["where"].unique() if where.startswith("head")]
    worst_head = max((lost(head, "uniform") for head in heads), key=np.mean)
    layers = [where for where in table["where"].unique() if where.startswith("layer")]
    return [
        above("flat_everywhere", lost("all", "uniform"), WORTH),
        above("distance_everywhere", lost("all", "distance"), WORTH),
        above("distance_rescues", lost("all", "uniform") - lost("all", "distance")),
        above("other_text_everywhere", lost("all", "other_text"), WORTH),
        above("flat_worst_head", worst_head, WORTH),
        above("flat_first_layer", lost(layers[0], "uniform") - lost(layers[-1], "uniform")),
    ]


def draw_flattened(tables: Tables, say: Say) -> Figure:
    table = losses(tables)
    wheres = [where for where in table["where"].unique() if where != "nowhere"]
    figure, ((axis,),) = new_figure(1, 1, width=7.5, height=3.6)
    for number, how in enumerate(HOWS):
        heights, sides = error_bars(select(table, how=how), "lost", "where", wheres)
        axis.bar(np.arange(len(wheres)) + (number - 1) / 4, heights, 0.24, yerr=sides, capsize=2,
                 color=style(number)["color"], label=name_of(how, say))  # fmt: skip
    kinds = [where.split("_", 1) for where in wheres]  # of "head_1_2": "head" and "1_2"
    names = [say(f"figures.{kind[0]}", which=kind[-1].replace("_", "-")) for kind in kinds]
    axis.set_xticks(range(len(wheres)), names, rotation=30, ha="right")
    label(axis, "", say("figures.lost"))
    return figure


FIGURES = {"flattened": draw_flattened}
