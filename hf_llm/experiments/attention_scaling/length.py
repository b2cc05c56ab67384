"""Length: what a longer text costs a GPT-2, an LSTM and a GRU of equal size: in work, in waiting, in time."""

import numpy as np
import pandas as pd
import torch

from hf_llm.experiments.attention_scaling.contenders import KINDS, new_contender, parameters_of
from hf_llm.experiments.attention_scaling.counting import longest_chain, step_by_step, step_flops
from hf_llm.experiments.attention_scaling.timing import exponent, exponents, seconds
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below, by_seed, exact, select
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure, style

SHAPE = {"n_layer": 2, "n_head": 4, "n_embd": 128, "vocab_size": 256}
STEPWISE = "lstm_stepwise"  # the same LSTM, computed step by step as torch does for a GRU
SEVERAL = 8  # texts in a step, beside one: a recurrent model reads them side by side
STAYS, GROWS, LINEAR, MUCH = 0.05, 0.9, 1.1, 10.0


def measure(study: Study) -> Tables:
    lengths = study.pick([32, 128], [128, 256, 512, 1024, 2048])
    batches = [*((1, length) for length in lengths), (SEVERAL, study.pick(32, 512))]
    shape = SHAPE | {"n_positions": lengths[-1]}
    counted = study.pick([16, 128], [64, 128, 256, 512])
    cells = [("count", kind) for kind in KINDS] + [("time", kind) for kind in (*KINDS, STEPWISE)]
    chains, times = [], []
    for what, kind in study.track(cells):
        if what == "count":
            model = new_contender(kind, shape, 0, "eager")
            parameters = parameters_of(model)
            chains += [{"kind": kind, "parameters": parameters, "length": length, **waiting(model, length)}
                       for length in counted]  # fmt: skip
        else:
            model = new_contender(kind.removesuffix("_stepwise"), shape, 0)
            times += [{"kind": kind, "batch": batch, "length": length, "seed": seed,
                       "seconds": step_seconds(model, batch, length, seed, kind == STEPWISE)}
                      for seed in study.seeds for batch, length in batches]  # fmt: skip
    return {"chains": pd.DataFrame(chains), "step_times": pd.DataFrame(times)}


def waiting(model, length: int) -> dict:
    """Return the FLOPs of a training step on one text, and the longest chain of operations of its forward pass."""
    ids = torch.zeros(1, length, dtype=torch.long)
    with step_by_step():
        chain = longest_chain(model(input_ids=ids, labels=ids, use_cache=False).loss)
    return {"chain": chain, "flops": sum(step_flops(model, ids).values())}


def step_seconds(model, batch: int, length: int, seed: int, stepwise: bool) -> float:
    """Return the processor seconds of a forward and a backward pass of `batch` texts."""
    ids = torch.randint(model.config.vocab_size, (batch, length), generator=torch.Generator().manual_seed(seed))

    def step() -> None:
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()

    if not stepwise:
        return seconds(step)
    with step_by_step():
        return seconds(step)


def findings(tables: Tables) -> list[Finding]:
    chains, times, several = tables["chains"], one_text(tables), select(tables["step_times"], batch=SEVERAL)
    longest = chains["length"].max()
    at_longest = select(chains, length=longest).set_index("kind")
    flops, work = at_longest["flops"], at_longest.eval("flops / chain")
    at_end = {kind: by_seed(times, "seconds", kind=kind, length=times["length"].max()) for kind in (*KINDS, STEPWISE)}

    def grows(kind: str) -> np.ndarray:
        return exponents(select(times, kind=kind), "seconds")

    def chain_of(kind: str) -> float:
        rows = select(chains, kind=kind)
        return exponent(rows["length"], rows["chain"])

    return [
        exact("gpt2_does_not_wait", chain_of("gpt2"), STAYS, "below"),
        exact("lstm_waits", chain_of("lstm"), GROWS),
        exact("gru_waits", chain_of("gru"), GROWS),
        exact("more_at_once", work["gpt2"] / work["lstm"], MUCH),
        exact("less_work", flops["gpt2"] / flops["lstm"], 1.0, "below"),
        above("gpt2_slower_than_lstm", at_end["gpt2"] / at_end["lstm"], 1.0, "log", timed=True),
        below("gpt2_faster_than_gru", at_end["gpt2"] / at_end["gru"], 1.0, "log", timed=True),
        below(
            "gpt2_faster_than_gru_by_eight",
            by_seed(several, "seconds", kind="gpt2") / by_seed(several, "seconds", kind="gru"),
            1.0,
            "log",
            timed=True,
        ),
        above("steps_cost", at_end[STEPWISE] / at_end["lstm"], 1.0, "log", timed=True),
        above("gpt2_grows_faster", grows("gpt2") - grows("lstm"), timed=True),
        below("lstm_is_linear", grows("lstm"), LINEAR, timed=True),
        below("gru_is_linear", grows("gru"), LINEAR, timed=True),
    ]


def one_text(tables: Tables) -> pd.DataFrame:
    """Return the times of steps with one text."""
    return select(tables["step_times"], batch=1)


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite of the chains."""
    chains = tables["chains"]
    ends = [chains["length"].min(), chains["length"].max()]
    chain, flops = (chains.set_index(["kind", "length"])[column] for column in ("chain", "flops"))
    sizes = chains.groupby("kind", sort=False)["parameters"].first()
    return {
        "shortest": int(ends[0]), "longest": int(ends[1]),
        **{f"{kind}_chain": int(chain[kind, ends[1]]) for kind in KINDS},
        "chain_ratio": float(chain["lstm", ends[1]] / chain["gpt2", ends[1]]),
        "flops_ratio": float(flops["gpt2", ends[1]] / flops["lstm", ends[1]]),
        "width": SHAPE["n_embd"],
        "lstm_chain_short": int(chain["lstm", ends[0]]),
        "timed_length": int(tables["step_times"]["length"].max()), "several": SEVERAL,
        "several_length": int(select(tables["step_times"], batch=SEVERAL)["length"].max()),
        **{f"{kind}_parameters": int(sizes[kind]) for kind in KINDS},
    }  # fmt: skip


def draw(tables: Tables, say: Say) -> Figure:
    """How many operations wait for one another, and the time of a step, by length."""
    figure, ((left, right),) = new_figure(1, 2, width=5.0, height=3.8)
    for number, kind in enumerate(KINDS):
        rows = select(tables["chains"], kind=kind)
        left.plot(rows["length"], rows["chain"], marker="o", ms=3, label=name_of(kind, say), **style(number))
    times = one_text(tables).eval("milliseconds = 1e3 * seconds")
    curves(right, times, "length", "milliseconds", "kind", say)
    for axis, value in ((left, "chain"), (right, "milliseconds")):
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(ticks := sorted(set(tables["chains" if axis is left else "step_times"]["length"])), ticks)
        label(axis, say("figures.tokens"), say(f"figures.{value}"))
    return figure


def summary(tables: Tables) -> pd.DataFrame:
    """Return for each model its size, its longest chain and its time by length."""
    times = tables["step_times"].groupby(["kind", "batch", "length"], sort=False)["seconds"].mean().reset_index()
    return times.assign(seconds=(1e3 * times["seconds"]).round(2)).rename(columns={"seconds": "milliseconds"})


FIGURES = {"length": draw}
SUMMARIES = {"step_times": summary}
TIMED = {"step_times"}
