"""A generated text in two versions that differ in nothing but how frequent the tokens are.

Tokens come in pairs: after a token stands, half of the time, its partner, else one that is drawn anew. They are drawn
by Zipf's law, as words are in a text, or all with the same probability. The truth is known, so that what is judged is
the loss above it: how much of the text is not learned yet.
"""

from itertools import islice

import numpy as np
import pandas as pd
import torch
from torch import nn

from hf_llm.data import BatchPlan
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.sgd_limits.rules import fit, rates_around, trial
from hf_llm.experiments.shared.short_run import SEARCH_SEED
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.training.task import Task

TOKENS = (200, 1000)  # different ones, of the short and of the full version: an even number, they come in pairs
STEPS = (24, 200)
SHAPE = {"n_layer": 2, "n_head": 2, "n_embd": 32, "n_positions": 16}
BATCH, LENGTH, JUDGED = 32, 120_000, 256  # windows a step, tokens of the text, windows that judge
PARTNER = 0.5  # probability that a token's partner follows it
COMPARED = ("momentum", "adam")
TEXTS = ("zipf", "uniform")
MIDDLES = {"zipf": {"momentum": 0.3, "adam": 1e-2}, "uniform": {"momentum": 0.3, "adam": 1e-2}}


def draw_text(kind: str, tokens: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a text (N,) and each token's true -ln p given the one before it (N,), 0 for the first.

    Partners are neighbours in frequency, 2i and 2i + 1, so that frequencies stay what they are.
    """
    random = np.random.default_rng(seed)
    weights = 1 / (1 + np.arange(tokens)) if kind == "zipf" else np.ones(tokens)
    probabilities = weights / weights.sum()
    text = random.choice(tokens, LENGTH, p=probabilities)
    for place in np.flatnonzero(random.random(LENGTH - 1) < PARTNER) + 1:  # from left to right: partners of partners
        text[place] = text[place - 1] ^ 1
    truth = (1 - PARTNER) * probabilities[text[1:]] + PARTNER * (text[1:] == text[:-1] ^ 1)
    return text, np.append(0.0, -np.log(truth))


class GeneratedText(Task):
    """Next-token prediction on a generated text, judged by the loss above the true one; the seed draws all of it."""

    unit = "tokens"

    def __init__(self, kind: str, tokens: int, seed: int):
        self.context = SHAPE["n_positions"]
        self.text, self.truth = draw_text(kind, tokens, seed)
        self.model = new_gpt2(gpt2_config("nano", **SHAPE, vocab_size=tokens, dropout=0.0), seed)
        windows = LENGTH // self.context - 1 - JUDGED  # those at the end judge
        self.plan, self.seed = BatchPlan(windows, BATCH, BATCH, seed=seed), seed

    def places(self, windows: np.ndarray) -> np.ndarray:
        """Return where the tokens of windows (B,) and what follows each of them stand in the text, (B, T + 1)."""
        return windows[:, None] * self.context + np.arange(self.context + 1)

    def batch(self, step: int, micro_step: int, rank: int) -> dict[str, torch.Tensor]:
        windows = torch.from_numpy(self.text[self.places(self.plan.indices(step, micro_step, rank))])  # (B, T + 1)
        inputs = windows[:, :-1].contiguous()
        return {"input_ids": inputs, "labels": inputs, "shift_labels": windows[:, 1:].contiguous()}

    def items(self, batch: dict[str, torch.Tensor]) -> int:
        return batch["shift_labels"].numel()

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return by how many nats per token the loss is above the true one, on windows that are not trained on."""
        places = self.places(self.plan.samples + np.arange(JUDGED))
        windows = torch.from_numpy(self.text[places])
        inputs = windows[:, :-1].contiguous()
        loss = model(input_ids=inputs, labels=inputs, shift_labels=windows[:, 1:].contiguous()).loss.item()
        return {"validation_loss": loss - float(self.truth[places[:, 1:]].mean())}


def measure(study: Study) -> Tables:
    """Search both rules' rates for both texts, then train with all seeds."""
    tokens, steps = study.pick(*TOKENS), study.pick(*STEPS)
    searches = [
        (kind, name, rate) for kind in TEXTS for name in COMPARED for rate in rates_around(MIDDLES[kind][name], study)
    ]  # fmt: skip
    finals = [(kind, name, seed) for kind in TEXTS for name in COMPARED for seed in study.seeds]
    cells = study.track([*searches, *finals])
    search = pd.DataFrame([
        {"text": kind, "optimizer": name, "rate": rate, "seed": SEARCH_SEED,
         "excess": trial(GeneratedText(kind, tokens, SEARCH_SEED), name, rate, steps)}
        for kind, name, rate in islice(cells, len(searches))
    ])  # fmt: skip
    tables = {"generated_search": search}
    rates, rows = chosen_rates(tables)["rate"], []
    for kind, name, seed in cells:
        task, rate = GeneratedText(kind, tokens, seed), rates[kind, name]
        every = {"eval_steps": steps // 8, "logging_steps": steps // 8}
        rows += [
            {"text": kind, "optimizer": name, "rate": rate, "seed": seed, "step": record["step"],
             "excess": record["validation_loss"]}
            for record in fit(task, name, rate, steps, **every)
        ]  # fmt: skip
    return {**tables, "generated": pd.DataFrame(rows)}


def chosen_rates(tables: Tables) -> pd.DataFrame:
    """Return `rate` and `edge` by text and optimizer."""
    by = ["text", "optimizer"]
    return best(tables["generated_search"], "rate", "excess", by=by).set_index(by)


def gap(tables: Tables, kind: str) -> np.ndarray:
    """Return by how many nats per token SGD with momentum is behind Adam at the end, (seeds,)."""
    table = tables["generated"]
    rows = select(table, text=kind, step=int(table["step"].max()))
    return by_seed(rows, "excess", optimizer="momentum") - by_seed(rows, "excess", optimizer="adam")


def relative(tables: Tables, kind: str) -> np.ndarray:
    """Return how many times what Adam has not learned yet SGD with momentum has not, (seeds,).

    The two texts start at different losses; a ratio does not depend on it.
    """
    table = tables["generated"]
    rows = select(table, text=kind, step=int(table["step"].max()))
    return by_seed(rows, "excess", optimizer="momentum") / by_seed(rows, "excess", optimizer="adam")


def findings(tables: Tables) -> list[Finding]:
    return [
        above("behind_on_zipf", gap(tables, "zipf")),
        above("behind_on_uniform", gap(tables, "uniform")),
        above("zipf_widens_gap", gap(tables, "zipf") - gap(tables, "uniform")),
        above("zipf_widens_ratio", relative(tables, "zipf") / relative(tables, "uniform"), 1.0, scale="log"),
    ]


def draw_generated(tables: Tables, say: Say) -> Figure:
    """What is left to learn of both texts along the steps."""
    figure, axes = new_figure(1, 2, width=4.8)
    for axis, kind in zip(axes[0], TEXTS):
        curves(axis, select(tables["generated"], text=kind), "step", "excess", "optimizer", say, keys=COMPARED)
        label(axis, say("figures.generated.step"), say("figures.generated.excess"), say(f"names.{kind}"))
    return figure


FIGURES = {"generated": draw_generated}
