"""Sizes: parameters, FLOPs, activations and key-value cache from nano to GPT-3, by formula and counted.

On torch's meta device a model has shapes but no memory: so 175 billion parameters are counted as well, in the real
class of transformers, run forward and backward. Activations and times are those of the sizes that this machine trains.
"""

import pandas as pd
import torch
from transformers import GPT2Config

from hf_llm.experiments.attention_scaling.counting import kept_bytes, mask_of, step_flops
from hf_llm.experiments.attention_scaling.timing import seconds
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, exact, select
from hf_llm.experiments.frame.charts import Figure, label, name_of, new_figure
from hf_llm.models.gpt2 import gpt2_config, new_gpt2, parameter_counts
from hf_llm.planning.memory import FP32, OPTIMIZER_TENSORS, Workload, block_activations, outer_activations
from hf_llm.planning.speed import flops_per_token

GPT3 = {"n_layer": 96, "n_head": 96, "n_embd": 12288, "n_positions": 2048}  # Brown et al. 2020, table 2.1
GPT3_TOKENS = 300e9  # that it was trained on, the same table
TRAINED_HERE = ("nano", "micro", "mini", "small")
WINDOW = 128  # tokens of a timed training step
CLOSE, CLOSE_BYTES, NEARLY_ALL = 0.02, 0.1, 0.99
MILLENNIUM = 1000 * 365.25 * 86400  # seconds


def config_of(size: str, **changes) -> GPT2Config:
    """Return a named size or GPT-3's, in eager attention, whose products can be counted, without dropout."""
    shape = GPT3 if size == "gpt3" else {}
    name = "small" if size == "gpt3" else size
    return gpt2_config(name, **{"dropout": 0.0, "attention": "eager", **shape, **changes})


def measure(study: Study) -> Tables:
    sizes = study.pick(["nano", "micro", "mini", "gpt3"], [*TRAINED_HERE, "medium", "large", "xl", "gpt3"])
    here = [size for size in sizes if size in TRAINED_HERE]
    cells = [*(("count", size) for size in sizes), *(("time", size) for size in here)]
    counted, activations, times = [], [], []
    for kind, size in study.track(cells):
        if kind == "count":
            counted.append({"size": size, **count(config_of(size))})
            activations += [{"size": size, **kept(config_of(size, n_positions=WINDOW))}] if size in here else []
        else:
            times += [{"size": size, **row} for row in window_times(size, study.seeds)]
    tables = {"sizes": counted, "activations": activations, "window_times": times}
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def count(config: GPT2Config) -> dict:
    """Return a size by formula and counted; FLOPs are of a training step, per token, at the full context."""
    model, parts, length = new_gpt2(config, 0, device="meta"), parameter_counts(config), config.n_positions
    ids = torch.zeros(1, length, dtype=torch.long, device="meta")
    flops = step_flops(model, ids)
    with torch.no_grad():
        cache = model.eval()(input_ids=ids, attention_mask=mask_of(ids), use_cache=True).past_key_values
    in_cache = sum(tensor.nbytes for layer in cache.layers for tensor in (layer.keys, layer.values))
    return {
        "width": config.n_embd, "layers": config.n_layer, "context": length,
        "parameters": parts["total"], "parameters_counted": model.num_parameters(),
        "in_linear_layers": (parts["attention"] + parts["mlp"]) / parts["total"],
        "in_mlp": parts["mlp"] / parts["total"],
        "flops": flops_per_token(config), "flops_counted": sum(flops.values()) / length,
        "attention_share": flops["attention"] / sum(flops.values()),
        "training_bytes": FP32 * (2 + OPTIMIZER_TENSORS["adamw"]) * parts["total"],  # weights, gradients, moments
        "cache": 2 * FP32 * config.n_layer * config.n_embd * length, "cache_counted": in_cache,
    }  # fmt: skip


def kept(config: GPT2Config) -> dict:
    """Return the bytes that autograd keeps of the blocks for one window, by formula and counted in a real pass."""
    model, work = new_gpt2(config, 0), Workload(config, batch=1)
    ids = torch.zeros(1, config.n_positions, dtype=torch.long)
    counted = kept_bytes(model, lambda: model.transformer(ids, use_cache=False).last_hidden_state)
    return {"kept": config.n_layer * block_activations(work) + outer_activations(work), "kept_counted": counted}


def window_times(size: str, seeds: range) -> list[dict]:
    """Return the seconds of a forward and backward pass of one window, and the FLOPs per second that it reaches."""
    config = config_of(size, n_positions=WINDOW, attention="sdpa")
    model, rows = new_gpt2(config, 0), []
    for seed in seeds:
        ids = torch.randint(config.vocab_size, (1, WINDOW), generator=torch.Generator().manual_seed(seed))
        taken = seconds(lambda ids=ids: model(input_ids=ids, labels=ids, use_cache=False).loss.backward())
        rows.append({"seed": seed, "seconds": taken, "flops_per_second": WINDOW * flops_per_token(config) / taken})
    return rows


def off(table: pd.DataFrame, formula: str) -> float:
    """Return by what share a formula is off what is counted, at worst over the sizes."""
    return float((table[formula] / table[f"{formula}_counted"] - 1).abs().max())


def findings(tables: Tables) -> list[Finding]:
    table, times = tables["sizes"], tables["window_times"]
    gpt3 = select(table, size="gpt3").iloc[0]
    rate = times.pivot(index="seed", columns="size", values="flops_per_second")
    millennia = GPT3_TOKENS * gpt3["flops"] / rate[largest_here(tables)] / MILLENNIUM
    return [
        exact("in_linear_layers", gpt3["in_linear_layers"], NEARLY_ALL),
        exact("flops_by_formula", off(table, "flops"), CLOSE, "below"),
        exact("parameters_by_formula", max(off(table, "parameters"), off(table, "cache")), 0.0, "within"),
        exact("kept_by_formula", off(tables["activations"], "kept"), CLOSE_BYTES, "below"),
        exact("small_share_in_gpt3", gpt3["attention_share"], CLOSE_BYTES, "below"),
        above("larger_is_more_efficient", rate[largest_here(tables)] / rate["nano"], 1.0, "log", timed=True),
        above("years_of_gpt3", millennia, 1.0, "log", timed=True),
    ]


def largest_here(tables: Tables) -> str:
    """Return the largest size that was timed."""
    return tables["window_times"]["size"].iloc[-1]


def draw(tables: Tables, say: Say) -> Figure:
    """FLOPs and key-value cache by parameters: formula as a line, counted as crosses, timed sizes filled."""
    table = tables["sizes"]
    figure, ((left, middle, right),) = new_figure(1, 3, width=4.2, height=3.6)
    for axis, value, scale in ((left, "flops", 1e9), (middle, "cache", 1e6)):
        counted = table[f"{value}_counted"]
        axis.plot(table["parameters"], table[value] / scale, color="black", lw=1, label=say("figures.formula"))
        axis.plot(table["parameters"], counted / scale, "x", color="#D55E00", label=say("figures.counted"))
        axis.set(xscale="log", yscale="log")
        label(axis, say("figures.parameters"), say(f"figures.{value}"))
    times = tables["window_times"].groupby("size", sort=False)["seconds"].mean()
    here = table.set_index("size").loc[times.index]
    right.plot(here["parameters"], times, "o-", color="#0072B2")
    for size, row in here.iterrows():
        right.annotate(name_of(size, say), (row["parameters"], times[size]), fontsize=8.5)
    right.set(xscale="log", yscale="log", xlim=left.get_xlim())
    label(right, say("figures.parameters"), say("figures.window_seconds"), legend=False)
    return figure


def summary(tables: Tables) -> pd.DataFrame:
    """Return the sizes in units that can be read."""
    table = tables["sizes"]
    return pd.DataFrame({
        "size": table["size"], "millions": (table["parameters"] / 1e6).round(2),
        "linear": (100 * table["in_linear_layers"]).round(1), "gflops": (table["flops"] / 1e9).round(3),
        "attention": (100 * table["attention_share"]).round(1),
        "training_gb": (table["training_bytes"] / 1e9).round(3),
        "cache_mb": (table["cache"] / 1e6).round(2),
    })  # fmt: skip


FIGURES = {"sizes": draw}
SUMMARIES = {"sizes": summary}
TIMED = {"window_times"}
