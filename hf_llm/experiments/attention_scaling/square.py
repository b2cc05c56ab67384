"""The square: what attention alone costs in one block of GPT-2, and from which length it costs more than the rest."""

import math

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from transformers.models.gpt2.modeling_gpt2 import GPT2Block

from hf_llm.experiments.attention_scaling.counting import kept_bytes, step_flops
from hf_llm.experiments.attention_scaling.timing import exponent, seconds
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure, style
from hf_llm.models.gpt2 import gpt2_config, new_gpt2

WIDTH, HEADS = 128, 4
WAYS = ("eager", "fused")  # product by product; torch's one operation, which never holds all weights at once
QUADRATIC, LINEAR, CLOSE = 1.8, 1.1, 0.02
WIDTHS = 6  # of the model, in tokens: where attention overtakes the rest of a block, by counting products


def measure(study: Study) -> Tables:
    lengths = study.pick([128, 512, 1024], [128, 256, 512, 1024, 2048, 4096])
    config = gpt2_config("nano", n_layer=1, n_head=HEADS, n_embd=WIDTH, vocab_size=2, n_positions=lengths[-1],
                         dropout=0.0, attention="eager")  # fmt: skip
    shapes, block = new_gpt2(config, 0, device="meta"), new_gpt2(config, 0).transformer.h[0]
    counted, times = [], []
    for length in study.track(lengths):
        flops = step_flops(shapes, torch.zeros(1, length, dtype=torch.long, device="meta"))
        head = 6 * 2 * WIDTH * length  # the output head's: no part of a block
        kept = {f"kept_{way}": kept_by(way, length) for way in WAYS}
        counted.append({"length": length, "attention": flops["attention"], "rest": flops["rest"] - head, **kept})
        times += [{"length": length, "way": way, "seed": seed, "seconds": taken}
                  for seed in study.seeds for way, taken in times_of(block, length, seed)]  # fmt: skip
    return {"square": pd.DataFrame(counted), "attention_times": pd.DataFrame(times)}


def attention(way: str, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Return the heads' outputs, each (1, heads, T, width / heads), as q, k and v are."""
    if way == "fused":
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (1, heads, T, T)
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -math.inf).softmax(-1) @ v


def heads_of(length: int, seed: int = 0) -> list[torch.Tensor]:
    """Return q, k and v."""
    generator = torch.Generator().manual_seed(seed)
    shape = (1, HEADS, length, WIDTH // HEADS)
    return [torch.randn(shape, generator=generator, requires_grad=True) for _ in range(3)]


def kept_by(way: str, length: int) -> int:
    """Return the bytes that autograd keeps of attention alone."""
    qkv = heads_of(length)
    return kept_bytes(nn.Module(), lambda: attention(way, *qkv))


def rest_of(block: GPT2Block, hidden: torch.Tensor) -> torch.Tensor:
    """Return what a block does without attention: every position keeps its own value, (1, T, width)."""
    value = block.attn.c_attn(block.ln_1(hidden))[..., 2 * WIDTH :]
    hidden = hidden + block.attn.c_proj(value)
    return hidden + block.mlp(block.ln_2(hidden))


def times_of(block: GPT2Block, length: int, seed: int) -> list[tuple[str, float]]:
    """Return the processor seconds, forward and backward, of attention in both ways and of the rest of the block."""
    qkv, hidden = heads_of(length, seed), torch.randn(1, length, WIDTH, requires_grad=True)
    taken = [(way, seconds(lambda way=way: attention(way, *qkv).sum().backward())) for way in WAYS]
    return [*taken, ("rest", seconds(lambda: rest_of(block, hidden).sum().backward()))]


def crossing(lengths, attention, rest) -> float:
    """Return the length from which attention costs more than the rest, between two lengths by logarithms.

    Where that is beyond the lengths, the nearest of them.
    """
    return float(np.exp(np.interp(0.0, np.log(np.divide(attention, rest)), np.log(lengths))))


def crossing_in_flops(table: pd.DataFrame) -> float:
    return crossing(table["length"], table["attention"], table["rest"])


def crossings_in_time(times: pd.DataFrame) -> np.ndarray:
    """Return the crossing of the fused attention's time, (seeds,)."""
    seconds = times.pivot(index=["seed", "length"], columns="way", values="seconds")
    return np.array([crossing(rows.index.get_level_values("length"), rows["fused"], rows["rest"])
                     for _, rows in seconds.groupby("seed")])  # fmt: skip


def findings(tables: Tables) -> list[Finding]:
    table, times = tables["square"], tables["attention_times"]
    longest = times["length"].max()
    end = {way: by_seed(times, "seconds", way=way, length=longest) for way in WAYS}
    last = table.tail(2)
    return [
        exact("work_is_quadratic", exponent(table["length"], table["attention"]), QUADRATIC),
        exact("overtakes_at_widths", abs(crossing_in_flops(table) / (WIDTHS * WIDTH) - 1), CLOSE, "below"),
        exact("weights_are_quadratic", exponent(last["length"], last["kept_eager"]), QUADRATIC),
        exact("fused_keeps_little", exponent(last["length"], last["kept_fused"]), LINEAR, "below"),
        above("overtakes_later_in_time", crossings_in_time(times) / crossing_in_flops(table), 1.0, "log", timed=True),
        above("fused_is_faster", end["eager"] / end["fused"], 1.0, "log", timed=True),
    ]


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite of the lengths."""
    table = tables["square"]
    last = table.iloc[-1]
    return {
        "crossing": crossing_in_flops(table), "square_length": int(last["length"]),
        "kept_eager_mb": float(last["kept_eager"] / 1e6), "kept_fused_mb": float(last["kept_fused"] / 1e6),
        "crossing_in_time": float(np.mean(crossings_in_time(tables["attention_times"]))),
    }  # fmt: skip


def draw(tables: Tables, say: Say) -> Figure:
    """FLOPs, kept memory and time of attention and of the rest of a block, by length."""
    table, times = tables["square"], tables["attention_times"]
    figure, (axes,) = new_figure(1, 3, width=4.2, height=3.6)
    for axis, columns, scale in (
        (axes[0], ("attention", "rest"), 1e9), (axes[1], ("kept_eager", "kept_fused"), 1e6)
    ):  # fmt: skip
        for number, column in enumerate(columns):
            axis.plot(table["length"], table[column] / scale, label=say(f"names.{column}"), **style(number))
    curves(axes[2], times.assign(milliseconds=1e3 * times["seconds"]), "length", "milliseconds", "way", say)
    for axis, value in zip(axes, ("block_gflops", "kept", "milliseconds")):
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(ticks := [int(length) for length in table["length"]], ticks)
        label(axis, say("figures.tokens"), say(f"figures.{value}"))
    return figure


FIGURES = {"square": draw}
TIMED = {"attention_times"}
