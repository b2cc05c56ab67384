"""Order: what the order of the earlier tokens is worth to a GPT-2 with and without position embeddings.

Only the last token of each window is predicted. Of the tokens before it, the last `kept` stay where they are, and
those farther back are shuffled among themselves: what that costs is what the model reads from their order.
"""

import copy

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from torch import Tensor
from transformers import GPT2LMHeadModel

from hf_llm.evaluation.bits_per_byte import token_losses
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.gpt2_anatomy.training import Grid, grid_of, trained
from hf_llm.experiments.gpt2_anatomy.variants import lift_causal_mask
from hf_llm.experiments.gpt2_anatomy.windows import bits_per_byte, windows_of

READERS = ("whole", "sinusoidal", "positions", "positions_one_layer", "attention")
KEPT = (1, 2, 3, 4, 8, 16)  # the last tokens, which stay in order
WORTH = 0.05  # bits per byte from which a difference counts
BLIND = 1e-4  # largest change of a probability that rounding in fp32 may leave
HALF = 0.5  # of the variance of the position
BLOCKS = 5  # of windows, for cross-validation


def measure(study: Study) -> Tables:
    grid, tables = grid_of(study), {"order": [], "blind": [], "position": []}
    windows = windows_of(grid, "test", grid.windows)  # (N, T + 1)
    shuffles = {kept: shuffled(windows, kept) for kept in KEPT} | {grid.context: windows}
    for seed in study.track(study.seeds):
        models = {variant: trained(grid, variant, seed).model for variant in READERS}
        tables["order"] += [
            {"variant": variant, "kept": kept, "seed": seed, "bits": last_token_bits(grid, model, rows)}
            for variant, model in models.items() for kept, rows in shuffles.items()
        ]  # fmt: skip
        # the same weights, and every token sees all others
        unmasked = lift_causal_mask(copy.deepcopy(models["positions"]))
        without = {"positions": models["positions"], "no_mask": unmasked}
        blind = without | {"positions_one_layer": models["positions_one_layer"]}
        tables["blind"] += [
            {"variant": variant, "seed": seed, "change": largest_change(model, windows[:, :-1], shuffles[1][:, :-1])}
            for variant, model in blind.items()
        ]
        tables["position"] += [
            {"variant": variant, "seed": seed, "read": position_read(model, windows[:, :-1])}
            for variant, model in ({"whole": models["whole"]} | without).items()
        ]
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def shuffled(windows: Tensor, kept: int) -> Tensor:
    """Return the windows (N, T + 1) with the tokens shuffled that lie before the last `kept` that the model reads."""
    generator = torch.Generator().manual_seed(0)
    free = windows.shape[1] - 1 - kept
    places = torch.rand((len(windows), free), generator=generator).argsort(dim=1)  # (N, free)
    return torch.cat([windows[:, :free].gather(1, places), windows[:, free:]], dim=1)


@torch.inference_mode()
def last_token_bits(grid: Grid, model: GPT2LMHeadModel, windows: Tensor) -> float:
    return bits_per_byte(grid, token_losses(model, windows, kept=1), windows[:, -1:])


@torch.inference_mode()
def largest_change(model: GPT2LMHeadModel, inputs: Tensor, others: Tensor) -> float:
    """Return by how much the probability of any next token differs at most after `inputs` and `others`, (N, T)."""
    one, other = (model(ids, logits_to_keep=1, use_cache=False).logits.softmax(-1) for ids in (inputs, others))
    return float((one - other).abs().max())


@torch.inference_mode()
def position_read(model: GPT2LMHeadModel, inputs: Tensor) -> float:
    """Return how much of a token's position a linear probe reads from its vector after the last layer: R², held out.

    No window (N, T) is in both the probe's training and its test.
    """
    states = model.transformer(inputs, use_cache=False).last_hidden_state  # (N, T, n_embd)
    position = np.tile(np.arange(inputs.shape[1], dtype=np.float64), len(inputs))  # (N * T,)
    groups = np.repeat(np.arange(len(inputs)), inputs.shape[1])
    predicted = cross_val_predict(Ridge(), states.flatten(0, 1).numpy(), position, groups=groups, cv=GroupKFold(BLOCKS))
    return float(1 - ((position - predicted) ** 2).mean() / position.var())


def farthest_kept(table: pd.DataFrame) -> int:
    """Return how many of the last tokens stay in order where the fewest are shuffled."""
    return int(table["kept"].drop_duplicates().nlargest(2).min())


def worth(tables: Tables, variant: str, kept: int = 1) -> np.ndarray:
    """Return what it costs a variant that all but the last `kept` tokens are shuffled, in bits per byte, (seeds,)."""
    table = tables["order"]
    in_order = table["kept"].max()
    return by_seed(table, "bits", variant=variant, kept=kept) - by_seed(table, "bits", variant=variant, kept=in_order)


def findings(tables: Tables) -> list[Finding]:
    blind, position = tables["blind"], tables["position"]

    def change(variant: str) -> float:
        return select(blind, variant=variant)["change"].max()

    return [
        above("order_whole", worth(tables, "whole")),
        above("order_positions", worth(tables, "positions")),
        above("order_lost", worth(tables, "whole") - worth(tables, "positions")),
        above("order_far", worth(tables, "whole", farthest_kept(tables["order"])), WORTH),
        exact("unmasked_is_blind", change("no_mask"), BLIND, "below"),
        exact("one_layer_is_blind", change("positions_one_layer"), BLIND, "below"),
        above("position_whole", by_seed(position, "read", variant="whole"), HALF),
        above("position_without", by_seed(position, "read", variant="positions"), HALF),
        above("position_unmasked", by_seed(position, "read", variant="no_mask"), HALF),
    ]


def draw_order(tables: Tables, say: Say) -> Figure:
    """What the last token of a window costs, by how many tokens before it stayed in order."""
    figure, ((axis,),) = new_figure(1, 1, width=6, height=3.6)
    curves(axis, tables["order"], "kept", "bits", "variant", say, keys=READERS)
    axis.set_xscale("log", base=2)
    ticks = sorted(tables["order"]["kept"].unique())
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    label(axis, say("figures.kept"), say("figures.bits"))
    return figure


FIGURES = {"order": draw_order}
