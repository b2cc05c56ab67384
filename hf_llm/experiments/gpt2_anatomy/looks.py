"""Looks: is where attention looks given by how far a token lies back, or by which token it is?

The weight that a token gives to an earlier one is predicted, on text that was not used to learn the prediction, by the
mean weight of the same distance, of the same pair of positions, or of the same pair of tokens.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, means, select
from hf_llm.experiments.frame.charts import Figure, label, new_figure, style
from hf_llm.experiments.gpt2_anatomy.training import Grid, grid_of, trained
from hf_llm.experiments.gpt2_anatomy.windows import windows_of
from hf_llm.explain.gpt2_explained import GPT2Explained

EXPLAINERS = ("distance", "positions", "tokens", "both")
PRIOR = 4  # weights that the mean of a rarer group counts for in that of a finer one


def measure(study: Study) -> Tables:
    grid, explained, firsts = grid_of(study), [], []
    # to learn the means of pairs of tokens, five times as much text as is looked at
    known, asked = windows_of(grid, "train", 5 * grid.windows)[:, :-1], windows_of(grid, "test", grid.windows)[:, :-1]
    for seed in study.track(study.seeds):
        model = GPT2Explained.from_transformers(trained(grid, "whole", seed).model)
        learnt, looked = (weights_of(model, ids, *pairs(grid)) for ids in (known, asked))  # (layers, heads, N, pairs)
        for layer, head in np.ndindex(grid.layers, grid.heads):
            described = {"layer": layer, "head": head, "seed": seed}
            shares = explained_shares(grid, known, learnt[layer, head], asked, looked[layer, head])
            explained += [described | {"by": by, "share": share} for by, share in shares.items()]
            firsts.append(described | places_looked_at(grid, looked[layer, head]))
    return {"explained": pd.DataFrame(explained), "places": pd.DataFrame(firsts)}


def pairs(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return query and key position of the weights that are looked at, (pairs,): queries of the window's second half.

    A query early in a window has few keys to divide its weight among. A token's weight on itself is left out: there the
    same pair of tokens means the same distance.
    """
    query, key = np.tril_indices(grid.context, k=-1)
    late = query >= grid.context // 2
    return query[late], key[late]


@torch.inference_mode()
def weights_of(model: GPT2Explained, ids: Tensor, query: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return the attention weights of pairs of positions in windows of ids (N, T): (layers, heads, N, pairs)."""
    seen = [model(batch, capture=["layer.*.attention.weights"])[1] for batch in ids.split(50)]
    return np.stack([
        torch.cat([one[layer][:, :, query, key] for one in seen]).transpose(0, 1).numpy()
        for layer in seen[0]
    ])  # fmt: skip


def explained_shares(grid: Grid, known: Tensor, learnt: np.ndarray, asked: Tensor, looked: np.ndarray) -> dict:
    """Return the share of the variance of `looked` (N, pairs) that each explainer predicts: R² on held-out text.

    The means are those of `learnt` (M, pairs), the weights in the windows `known` (M, T).
    """
    query, key = pairs(grid)
    vocab = int(max(known.max(), asked.max())) + 1

    def groups(ids: Tensor) -> dict[str, np.ndarray]:  # each (windows, pairs)
        at_key, at_query = ids.numpy()[:, key], ids.numpy()[:, query]
        return {
            "distance": np.broadcast_to(query - key, at_key.shape),
            "positions": np.broadcast_to(query * grid.context + key, at_key.shape),
            "key": at_key, "tokens": at_query * vocab + at_key,
        }  # fmt: skip

    ours, theirs = groups(known), groups(asked)

    def fit(name: str, base: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions of (learnt, looked): what `base` predicts, and the group's mean of what it leaves."""
        size = int(max(ours[name].max(), theirs[name].max())) + 1
        count = np.bincount(ours[name].ravel(), minlength=size)
        rest = np.bincount(ours[name].ravel(), weights=(learnt - base[0]).ravel(), minlength=size)
        mean = rest / (count + PRIOR)  # of a group that was never seen: nothing
        return base[0] + mean[ours[name]], base[1] + mean[theirs[name]]

    start = (np.full(learnt.shape, learnt.mean()), np.full(looked.shape, learnt.mean()))
    distance = fit("distance", start)
    positions = fit("positions", distance)
    predicted = {
        "distance": distance, "positions": positions, "tokens": fit("tokens", fit("key", start)),
        "both": fit("tokens", fit("key", positions)),
    }  # fmt: skip
    return {by: float(1 - ((looked - guess) ** 2).mean() / looked.var()) for by, (_, guess) in predicted.items()}


def places_looked_at(grid: Grid, looked: np.ndarray) -> dict:
    """Return the mean weight, times the number of tokens to choose from: 1 where attention is spread evenly.

    On the window's first token, on the one before the query, and on the query itself.
    """
    query, key = pairs(grid)
    even = looked * (query + 1)  # (N, pairs)
    queries, starts = np.unique(query, return_index=True)
    itself = 1 - np.add.reduceat(looked, starts, axis=1)  # (N, queries): a query's weights add up to one
    return {
        "first": float(even[:, key == 0].mean()), "previous": float(even[:, key == query - 1].mean()),
        "itself": float((itself * (queries + 1)).mean()),
    }  # fmt: skip


def share(tables: Tables, by: str) -> np.ndarray:
    """Return the share that `by` explains, mean over the heads, (seeds,)."""
    return select(tables["explained"], by=by).groupby("seed")["share"].mean().to_numpy()


def findings(tables: Tables) -> list[Finding]:
    first = tables["places"].groupby("seed")["first"].mean().to_numpy()
    return [
        above("distance_over_tokens", share(tables, "distance") - share(tables, "tokens")),
        above("tokens_add", share(tables, "both") - share(tables, "positions")),
        above("context_decides", 1 - share(tables, "both"), 0.5),
        above("first_token", first, 1.0, "log"),
    ]


def summary(tables: Tables) -> pd.DataFrame:
    shares = means(tables["explained"], ["layer", "head", "by"], ["share"])
    wide = shares.pivot(index=["layer", "head"], columns="by", values="share")[list(EXPLAINERS)]
    places = tables["places"].groupby(["layer", "head"])[["first", "previous", "itself"]].mean()
    return wide.join(places).round(2).reset_index()


def draw_explained(tables: Tables, say: Say) -> Figure:
    """A bar a head: how much of where it looks is told by distance, by the pair of tokens, and by both."""
    rows = means(tables["explained"], ["layer", "head", "by"], ["share"])
    figure, ((axis,),) = new_figure(1, 1, width=7.5, height=3.4)
    for number, by in enumerate(EXPLAINERS):
        bars = select(rows, by=by)
        axis.bar(np.arange(len(bars)) + (number - 1.5) / 5, bars["share"], 0.19, color=style(number)["color"],
                 label=say(f"figures.by_{by}"))  # fmt: skip
    names = [f"{row.layer + 1}-{row.head + 1}" for row in select(rows, by="distance").itertuples()]
    axis.set_xticks(range(len(names)), names)
    axis.set_ylim(0, 1)
    label(axis, say("figures.heads"), say("figures.share"))
    return figure


FIGURES = {"explained": draw_explained}
SUMMARIES = {"heads": summary}
