"""How many pairs of unit and example let no gradient through, before any training.

Once for a unit whose weighted sum z is normal, small or large; once in an untrained network whose weights are as usual
or four times as large, where the units that are dead are counted beside the pairs.
"""

import math

import pandas as pd
import torch

from hf_llm.experiments.activations.counting import blocked_share, dead_units
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, select, within
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.shared.activation_functions import ACTIVATIONS
from hf_llm.experiments.shared.toy_data import digits
from hf_llm.texts import number

NAMES = ("sigmoid", "tanh", "relu", "gelu")
DEVIATIONS = (1, 2, 4, 8)  # of the normal z
SAMPLES = 100_000  # of them, for each seed
WIDTH, LAYERS = 128, 5  # of the untrained network
SCALES = (1.0, 4.0)  # of its weights; 1 keeps the variance of a linear network
CENTRED = 0.01  # a mean output closer to zero than this counts as zero


def measure(study: Study) -> Tables:
    """Count in normal inputs and in untrained networks."""
    return {
        "normal": pd.DataFrame(
            normal_row(name, deviation, seed) for name in NAMES for deviation in DEVIATIONS for seed in study.seeds
        ),
        "untrained": pd.DataFrame(
            row for name in NAMES for scale in SCALES for seed in study.seeds for row in layer_rows(name, scale, seed)
        ),
    }


def normal_row(name: str, deviation: int, seed: int) -> dict:
    """Return what a unit does whose z is normal: mean output, mean derivative, and the share of z that is blocked."""
    z = deviation * torch.randn(SAMPLES, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return {
        "activation": name, "deviation": deviation, "seed": seed,
        "mean": float(ACTIVATIONS[name].value(z).mean()),
        "mean_derivative": float(ACTIVATIONS[name].derivative(z).mean()),
        "blocked": blocked_share(name, z),
    }  # fmt: skip


def layer_rows(name: str, scale: float, seed: int) -> list[dict]:
    """Return the share of blocked pairs and of dead units in each layer of an untrained network, on the digits."""
    generator = torch.Generator().manual_seed(seed)
    x, _ = digits()["training"]
    a, rows = (x - x.mean()) / x.std(), []  # (N, 64)
    for layer in range(1, LAYERS + 1):
        weight = torch.randn(a.shape[1], WIDTH, generator=generator, dtype=torch.float64)
        z = a @ weight * (scale / math.sqrt(a.shape[1]))  # (N, WIDTH): variance about scale² times that of a
        rows.append({
            "activation": name, "scale": scale, "layer": layer, "seed": seed,
            "blocked": blocked_share(name, z), "dead": float(dead_units(name, z).double().mean()),
        })  # fmt: skip
        a = ACTIVATIONS[name].value(z)
    return rows


def findings(tables: Tables) -> list[Finding]:
    table = tables["normal"]
    small, large = DEVIATIONS[0], DEVIATIONS[-1]

    def of(column: str, activation: str, deviation: int = small):
        return by_seed(table, column, activation=activation, deviation=deviation)

    return [
        above("fewer_blocked", 100 * (of("blocked", "sigmoid") - of("blocked", "relu"))),
        above("fewer_blocked_large", 100 * (of("blocked", "sigmoid", large) - of("blocked", "relu", large))),
        above("on_average", of("mean_derivative", "relu") / of("mean_derivative", "sigmoid"), 1.0, "log"),
        within("tanh_centred", of("mean", "tanh"), CENTRED),
        within("relu_centred", of("mean", "relu"), CENTRED),
    ]


def quantities(tables: Tables) -> dict:
    """Return what the texts cite: shares of blocked pairs for small and large z, and of dead units, mean over seeds."""
    normal, untrained = tables["normal"], tables["untrained"]
    cited = {
        f"{name}_blocked_{deviation}": float(select(normal, activation=name, deviation=deviation)["blocked"].mean())
        for name in ("sigmoid", "relu") for deviation in (DEVIATIONS[0], DEVIATIONS[-1])
    }  # fmt: skip
    return {**cited, "relu_untrained": float(select(untrained, activation="relu", scale=1.0)["dead"].mean())}


def summary(tables: Tables) -> pd.DataFrame:
    """Return, for each activation, its means for standard normal z, and the share of blocked pairs by the deviation."""
    table = tables["normal"]
    means = select(table, deviation=DEVIATIONS[0]).groupby("activation", sort=False)[["mean", "mean_derivative"]].mean()
    blocked = table.pivot_table(index="activation", columns="deviation", values="blocked", sort=False)
    return means.join(blocked.add_prefix("blocked_")).reset_index()


def draw(tables: Tables, say: Say) -> Figure:
    """The share of blocked pairs by the size of z, and by layer of the network with the larger weights."""
    figure, ((left, right),) = new_figure(1, 2)
    curves(left, tables["normal"], "deviation", "blocked", "activation", say)
    left.set_xscale("log", base=2)
    left.set_xticks(DEVIATIONS, [number(each, say.lang, "g") for each in DEVIATIONS])
    curves(right, select(tables["untrained"], scale=max(SCALES)), "layer", "blocked", "activation", say)
    right.set_xticks(range(1, LAYERS + 1))
    for axis in (left, right):
        axis.set_ylim(-0.03, 1.03)
    share = say("figures.saturation.share")
    label(left, say("figures.saturation.deviation"), share, say("figures.saturation.normal"))
    label(right, say("figures.saturation.layer"), share, say("figures.saturation.untrained"), legend=False)
    return figure


FIGURES = {"saturation": draw}
SUMMARIES = {"normal": summary}
