"""Race: GPT against LSTM and GRU with as many parameters, after the same tokens and after the same computing time.

A step is timed in seconds of one processor core, which other work on the machine does not lengthen. The same number of
tokens comes as many short rows or as one long one. What no core can show is counted: how many operations have to wait
for one another, be there as many processors as one likes.
"""

import time

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel

from hf_llm.experiments.families.cells import read_on
from hf_llm.experiments.families.models import CAUSAL, Grid, grid_of, new_causal_lm, read_parts
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, means, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure, style

REPEATS = 3  # steps of which the median counts


def measure(study: Study) -> Tables:
    """Time a step, forward, backward and AdamW, and count its dependent operations, by the length of the rows."""
    grid = grid_of(study)
    vocab_size, rows = len(read_parts(grid).corpus.tokenizer), []
    lengths = row_lengths(grid)
    cells = [(seed, family, length) for seed in study.seeds for length in lengths for family in CAUSAL]
    for seed, family, length in study.track(cells):
        model = new_causal_lm(family, grid, vocab_size, seed, length)
        seconds = step_seconds(model, grid.step_tokens // length, length)
        rows.append({"family": family, "seed": seed, "length": length, "seconds": seconds})
    depths = [
        {"family": family, "length": length, "operations": depth(family, grid, vocab_size, length)}
        for family in CAUSAL for length in lengths[:2]
    ]  # fmt: skip
    return {"depth": pd.DataFrame(depths), "speed": pd.DataFrame(rows)}


def row_lengths(grid: Grid) -> tuple[int, int, int]:
    """Return tokens of a row: short, as in training, and all tokens of a step in a single one."""
    return grid.context // 8, grid.context, grid.step_tokens


def step_seconds(model: PreTrainedModel, rows: int, length: int) -> float:
    """Return processor seconds of a training step on `rows` x `length` tokens, the median after a warm-up."""
    ids = torch.randint(model.config.vocab_size, (rows, length), generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(model.parameters())
    seconds = []
    for _ in range(REPEATS + 1):
        start = time.process_time()
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds[1:]))


def depth(family: str, grid: Grid, vocab_size: int, length: int) -> int:
    """Return the longest chain of operations from the tokens of a row to its logits, each in need of the one before.

    torch computes a recurrent net in one call, so its cells are walked through one by one (`cells`).
    """
    model, ids = new_causal_lm(family, grid, vocab_size, 0, length), torch.zeros(1, length, dtype=torch.long)
    if family == "gpt":
        return longest_chain(model(input_ids=ids, use_cache=False).logits)
    return longest_chain(model.lm_head(read_on(model.recurrent, model.embedding(ids))[0]))


def longest_chain(output: torch.Tensor) -> int:
    """Return the number of nodes on the longest path through the graph that autograd recorded for `output`."""
    order, seen, stack = [], set(), [(output.grad_fn, False)]
    while stack:  # each node after all that it was computed from
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack += [(node, True), *((before, False) for before, _ in node.next_functions if before)]
    length: dict = {}
    for node in order:
        length[node] = 1 + max((length[before] for before, _ in node.next_functions if before), default=0)
    return length[output.grad_fn]


def operations(tables: Tables, family: str) -> tuple[int, int]:
    """Return the dependent operations of a short row and of one as in training."""
    rows = select(tables["depth"], family=family).sort_values("length")["operations"]
    return tuple(rows)


def same_time(tables: Tables) -> pd.DataFrame:
    """Return `bits` of each family and seed on validation when the fastest one has taken all its steps."""
    trained = middle_length(tables)
    rows = []
    for seed, curve in select(tables["curves"], family=list(CAUSAL)).groupby("seed"):
        seconds = select(tables["speed"], seed=seed, length=trained).set_index("family")["seconds"]
        budget = min(seconds[family] * one["step"].max() for family, one in curve.groupby("family"))
        for family, one in curve.groupby("family"):
            bits = np.interp(budget / seconds[family], one["step"], one["bits"])
            rows.append({"family": family, "seed": seed, "seconds": budget, "bits": bits})
    return pd.DataFrame(rows)


def behind(tables: Tables, share: float) -> np.ndarray:
    """Return how many bits per byte GPT is behind the LSTM after a share of the steps, on validation, (seeds,)."""
    curve = tables["curves"]
    step = round(share * select(curve, family="gpt")["step"].max())
    return by_seed(curve, "bits", family="gpt", step=step) - by_seed(curve, "bits", family="lstm", step=step)


def middle_length(tables: Tables) -> int:
    """Return the tokens of a row in training."""
    return sorted(tables["speed"]["length"].unique())[1]


def slowdown(tables: Tables, family: str) -> np.ndarray:
    """Return how many times the time of short rows one long row takes, (seeds,)."""
    lengths = tables["speed"]["length"]
    long, short = (
        by_seed(tables["speed"], "seconds", family=family, length=one) for one in (lengths.max(), lengths.min())
    )
    return long / short


def findings(tables: Tables) -> list[Finding]:
    judged, timed, speed = tables["objectives"], same_time(tables), tables["speed"]
    seconds = {family: by_seed(speed, "seconds", family=family, length=middle_length(tables)) for family in CAUSAL}
    last = {family: by_seed(judged, "after", family=family) for family in CAUSAL}
    at_time = {family: by_seed(timed, "bits", family=family) for family in CAUSAL}
    return [
        above("gpt_better_after_same_tokens", last["lstm"] - last["gpt"]),
        above("gpt_catches_up", behind(tables, 1 / 2) - behind(tables, 1)),
        above("gpt_better_than_gru", last["gru"] - last["gpt"]),
        above("gpt_better_after_same_time", at_time["lstm"] - at_time["gpt"], timed=True),
        above("gpt_step_is_faster", seconds["lstm"] / seconds["gpt"], 1.0, scale="log", timed=True),
        exact("gpt_is_parallel", operations(tables, "gpt")[1] / operations(tables, "gpt")[0], 1.0, side="within"),
        exact("lstm_waits_longer", operations(tables, "lstm")[1] / operations(tables, "gpt")[1], 1.0),
        above(
            "long_rows_slow_the_lstm", slowdown(tables, "lstm") / slowdown(tables, "gpt"), 1.0, scale="log", timed=True
        ),
        above(
            "long_rows_slow_the_gru", slowdown(tables, "gru") / slowdown(tables, "gpt"), 1.0, scale="log", timed=True
        ),
    ]


def speed_summary(tables: Tables) -> pd.DataFrame:
    table = means(tables["speed"], ["family", "length"], ["seconds"])
    wide = table.assign(milliseconds=1000 * table["seconds"]).pivot(
        index="family", columns="length", values="milliseconds"
    )
    wide = wide.loc[list(CAUSAL)].round(1)
    return wide.set_axis(["short_rows", "as_trained", "one_row"], axis=1).reset_index()


def draw_race(tables: Tables, say: Say) -> Figure:
    """Validation by tokens read, validation by computing time, and time by the length of the rows."""
    figure, ((by_step, by_time, by_length),) = new_figure(1, 3, width=4, height=3.6)
    curves(by_step, tables["curves"], "step", "bits", "family", say, keys=CAUSAL)
    seconds = means(select(tables["speed"], length=middle_length(tables)), ["family"], ["seconds"]).set_index("family")
    for number, family in enumerate(CAUSAL):
        curve = means(select(tables["curves"], family=family), ["step"], ["bits"])
        by_time.plot(curve["step"] * seconds.loc[family, "seconds"], curve["bits"], lw=1.8, **style(number))
    milliseconds = tables["speed"].assign(milliseconds=1000 * tables["speed"]["seconds"])
    curves(by_length, milliseconds, "length", "milliseconds", "family", say, keys=CAUSAL)
    by_length.set_xscale("log", base=2)
    by_length.set_yscale("log")
    label(by_step, say("figures.step"), say("figures.bits"))
    label(by_time, say("figures.seconds"), say("figures.bits"), legend=False)
    label(by_length, say("figures.length"), say("figures.milliseconds"), legend=False)
    return figure


FIGURES = {"race": draw_race}
SUMMARIES = {"speed": speed_summary, "depth": lambda tables: tables["depth"]}
TIMED = {"speed"}
