"""Importance: does the token with more weight matter more, when it is hidden from the model?

Each token of a window is hidden in turn: no other token can attend to it, in any layer. What that changes in the
prediction after the window is compared with the weight that the window's last token gave it (Jain and Wallace 2019,
"Attention is not Explanation"; Serrano and Smith 2019, "Is Attention Interpretable?").
"""

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata
from torch import Tensor

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, means
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.gpt2_anatomy.training import grid_of, trained, untrained
from hf_llm.experiments.gpt2_anatomy.windows import windows_of
from hf_llm.explain.gpt2_explained import GPT2Explained

SIGNALS = ("mean_weight", "last_layer", "rollout", "recency")  # what may say which token matters
STRONG = 0.5  # rank correlation from which a signal is said to tell what matters
HALF = 0.5
WEIGHTS = "layer.*.attention.weights"


def measure(study: Study) -> Tables:
    grid, rows = grid_of(study), []
    windows = windows_of(grid, "test", grid.masked_windows)
    for seed in study.track(study.seeds):
        models = {"trained": trained(grid, "whole", seed).model, "untrained": untrained(grid, "whole", seed).eval()}
        for when, model in models.items():
            explained = GPT2Explained.from_transformers(model)
            compared = pd.DataFrame([row for window in windows for row in compare(explained, window)])
            averages = compared.groupby(["signal", "effect"], sort=False).mean().reset_index()
            rows += [{"model": when, "seed": seed, **row} for row in averages.to_dict("records")]
    return {"importance": pd.DataFrame(rows)}


@torch.inference_mode()
def compare(model: GPT2Explained, window: Tensor) -> list[dict]:
    """Return how far each signal goes with each effect in one window, (T + 1,).

    `correlation` is Spearman's, over the tokens before the last; `beside_recency` the same where what both share with
    recency is taken out; `top`: whether the token with the largest signal is the one with the largest effect.
    """
    ids, following = window[None, :-1], int(window[-1])
    T = ids.shape[1]
    logits, seen = model(ids, capture=[WEIGHTS])
    effects = effects_of(model, ids, logits[0, -1].log_softmax(-1), following)
    signals = signals_of(torch.stack([weights[0] for weights in seen.values()]))  # (layers, n_head, T, T)
    recency = np.arange(T - 1)
    return [
        {"signal": signal, "effect": effect, "correlation": spearman(values, changes),
         "beside_recency": partial(values, changes, recency), "top": float(values.argmax() == changes.argmax())}
        for signal, values in (*signals.items(), ("recency", recency))
        for effect, changes in effects.items()
    ]  # fmt: skip


def effects_of(model: GPT2Explained, ids: Tensor, logs: Tensor, following: int) -> dict[str, np.ndarray]:
    """Return what hiding each token but the last changes, (T - 1,).

    `prediction`: total variation distance between the predictions, the largest change of any event's probability;
    `loss`: how far the loss of the token that really follows moves, up or down, in nats.
    """
    T = ids.shape[1]
    hidden = torch.eye(T, dtype=torch.bool)[:-1, None, None, :].expand(-1, 1, T, -1)  # (T - 1, 1, T, T): copy, key
    hidden = hidden & ~torch.eye(T, dtype=torch.bool)  # a token still sees itself
    edit = {"layer.*.attention.masked_scores": lambda scores: scores.masked_fill(hidden, -torch.inf)}
    others = model(ids.expand(T - 1, -1), edit=edit)[0][:, -1].log_softmax(-1)  # (T - 1, vocab)
    return {
        "prediction": ((others.exp() - logs.exp()).abs().sum(dim=-1) / 2).numpy(),
        "loss": (others[:, following] - logs[following]).abs().numpy(),
    }


def signals_of(weights: Tensor) -> dict[str, np.ndarray]:
    """Return what the weights (layers, n_head, T, T) say of each token but the last, as seen from it: (T - 1,).

    Rollout (Abnar and Zuidema 2020) multiplies the layers' mean weights, half of each kept for the residual
    connection: how much of a token may have flowed to the last one through all layers.
    """
    heads = weights.mean(dim=1)  # (layers, T, T)
    flow = torch.eye(heads.shape[-1])
    for layer in heads:
        flow = (layer + torch.eye(len(layer))) / 2 @ flow
    seen = {"mean_weight": heads.mean(dim=0), "last_layer": heads[-1], "rollout": flow}
    return {name: rows[-1, :-1].numpy() for name, rows in seen.items()}


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def partial(one: np.ndarray, other: np.ndarray, third: np.ndarray) -> float:
    """Return the rank correlation of two series when a third is held fixed; 0 where one of them is the third."""
    a, b, c = spearman(one, other), spearman(one, third), spearman(other, third)
    rest = (1 - b**2) * (1 - c**2)
    return (a - b * c) / rest**0.5 if rest > 1e-12 else 0.0


def findings(tables: Tables) -> list[Finding]:
    table = tables["importance"]

    def value(column: str, signal: str, effect: str = "prediction", model: str = "trained") -> np.ndarray:
        return by_seed(table, column, signal=signal, effect=effect, model=model)

    weight, beside = value("correlation", "mean_weight"), value("beside_recency", "mean_weight")
    return [
        above("weight_says", weight, STRONG, "fisher"),
        above("weight_beats_recency", weight - value("correlation", "recency")),
        above("weight_beside_recency", beside, 0.0, "fisher"),
        above("top_agrees", value("top", "mean_weight"), HALF),
        above("weight_says_loss", value("correlation", "mean_weight", "loss"), STRONG, "fisher"),
        above("rollout_says_more", value("correlation", "rollout") - weight),
        above("learnt", beside - value("beside_recency", "mean_weight", model="untrained")),
        # a token that is hidden loses its weight and nothing else: some agreement needs no training
        above("agree_untrained", value("correlation", "rollout", model="untrained"), STRONG, "fisher"),
    ]


def summary(tables: Tables) -> pd.DataFrame:
    rows = means(tables["importance"], ["model", "signal", "effect"], ["correlation", "beside_recency", "top"]).round(2)
    beside = rows["beside_recency"].astype(object)
    return rows.assign(beside_recency=beside.where(rows["signal"] != "recency", None))  # nothing is left of itself


def draw_importance(tables: Tables, say: Say) -> Figure:
    table = tables["importance"].query("model == 'trained'")
    figure, ((left, right),) = new_figure(1, 2, width=4.6, height=2.8)
    for axis, effect in ((left, "prediction"), (right, "loss")):
        rows = table[table["effect"] == effect]
        dots(axis, rows, "correlation", "signal", say if axis is left else None, keys=SIGNALS)
        axis.axvline(0, color="black", lw=0.8)
        label(axis, say("figures.correlation"), "", say(f"names.{effect}"), legend=False)
    return figure


FIGURES = {"importance": draw_importance}
SUMMARIES = {"importance": summary}
