"""Before training: which gradient reaches each layer of the deepest network, and how alike two images arrive.

A layer multiplies the gradient by the activation's derivative and by the weights. A factor a little below one makes it
vanish after many layers, one a little above makes it explode. Glorot and Bengio 2010, "Understanding the difficulty of
training deep feedforward neural networks"; He et al. 2015, "Delving deep into rectifiers"; Yang et al. 2019, "A mean
field theory of batch normalization".
"""

from dataclasses import asdict

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, exact, select, within
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.relu_depth.nets import BLOCKS, OWN, USUAL, DeepMLP, Kind, usual
from hf_llm.experiments.relu_depth.probe import powers, powers_lost, probe
from hf_llm.experiments.relu_depth.training import DIGITS, grid_of
from hf_llm.experiments.shared.image_runs import ImageParts

VANISHED = 2.0  # powers of ten lost from the last hidden layer to the first; a gradient that gains them has exploded
TINY = 3.0  # powers of ten below which a gradient counts as tiny beside another
ALIKE = 0.9  # cosine similarity from which two images count as almost alike
HALF, ABOUT = 0.5, 0.05  # what Xavier's weights leave of a ReLU layer's squared gradient, and how exactly


def kinds(depth: int) -> list[Kind]:
    """Return what is looked into: each activation with Xavier's and He's weights, and with its usual ones in every
    block; GELU and the sigmoid also with weights of their own."""
    plain = [Kind(depth, activation, weights) for weights in ("xavier", "he") for activation in USUAL]
    blocks = [usual(depth, activation, block) for block in BLOCKS[1:] for activation in USUAL]
    return [*plain, *blocks, *(Kind(depth, activation, weights) for activation, weights in OWN.items())]


def measure(study: Study) -> Tables:
    """Look into the deepest networks with every seed."""
    grid = grid_of(study)
    probed, rows, layers = ImageParts.read(study.data, grid.probed).validation, [], []
    for kind in study.track(kinds(grid.depths[-1])):
        for seed in study.seeds:
            look = probe(DeepMLP(kind, grid.width, seed), probed)
            described = {**asdict(kind), "seed": seed}
            rows.append({
                **described, "lost": powers_lost(look["gradients"]),
                "weights_lost": powers_lost(look["weight_gradients"][1:]),
                "last_weights": float(np.log10(look["weight_gradients"][-1])),
                "dead": look["dead"].mean(), "cosine": look["cosine"],
            })  # fmt: skip
            layers += [
                {**described, "layer": layer, "power": round(float(power), DIGITS)}
                for layer, power in enumerate(powers(look["gradients"]), start=1)
            ]
    return {"start": pd.DataFrame(rows), "start_layers": pd.DataFrame(layers)}


def kept_of_square(tables: Tables) -> np.ndarray:
    """Return what a ReLU layer with Xavier's weights leaves of the gradient's square: geometric mean, (seeds,)."""
    table = tables["start"]
    steps = table["depth"].iloc[0] - 1
    return 10 ** (-2 * by_seed(table, "lost", activation="relu", weights="xavier", block="plain") / steps)


def findings(tables: Tables) -> list[Finding]:
    table = tables["start"]

    def measured(column: str, activation: str, weights: str | None = None, block: str = "plain") -> np.ndarray:
        weights = weights or USUAL[activation]
        return by_seed(table, column, activation=activation, weights=weights, block=block)

    tiny = measured("last_weights", "relu", "he") - measured("last_weights", "relu", "xavier")
    return [
        above("sigmoid_vanishes", measured("lost", "sigmoid"), VANISHED),
        below("relu_he_keeps", measured("lost", "relu"), VANISHED),
        below("relu_xavier_keeps", measured("lost", "relu", "xavier"), VANISHED),
        within("xavier_halves", 100 * (kept_of_square(tables) - HALF), 100 * ABOUT),
        above("weights_tiny", tiny, TINY),
        *(above(f"{name}_vanishes", measured("lost", name), VANISHED) for name in ("tanh", "gelu")),
        *(below(f"{weights}_keeps", measured("lost", activation, weights), VANISHED)
          for activation, weights in OWN.items()),
        above("relu_images_alike", measured("cosine", "relu"), ALIKE, scale="fisher"),
        *(above(f"{block}_explodes", -measured("lost", "relu", block=block), VANISHED) for block in BLOCKS[1:]),
        exact("none_born_dead", measured("dead", "relu").max(), 0.0, side="within"),
    ]  # fmt: skip


def draw_weights(tables: Tables, say: Say) -> Figure:
    """The gradient by layer with Xavier's weights and with He's."""
    table = tables["start_layers"]
    return _panels(say, {weights: select(table, weights=weights, block="plain") for weights in ("xavier", "he")})


def draw_blocks(tables: Tables, say: Say) -> Figure:
    """The gradient by layer with batch norm, with residual connections and with both."""
    table = tables["start_layers"]
    return _panels(say, {block: select(table, block=block) for block in BLOCKS[1:]})


def _panels(say: Say, panels: dict[str, pd.DataFrame]) -> Figure:
    figure, (axes,) = new_figure(1, len(panels), width=4.4)
    for number, (axis, (name, rows)) in enumerate(zip(axes, panels.items())):
        axis.sharey(axes[0])
        curves(axis, rows, "layer", "power", "activation", say, keys=USUAL)
        axis.xaxis.get_major_locator().set_params(integer=True)
        label(axis, say("figures.layer"), say("figures.power") if not number else "", say(f"names.{name}"), not number)
    return figure


FIGURES = {"start": draw_weights, "start_blocks": draw_blocks}
