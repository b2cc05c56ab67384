"""Serving: what a trained method costs afterwards: time per message, bytes on disk, memory of a fresh process.

A process that serves TF-IDF loads scikit-learn, one that serves the GPT-2 loads PyTorch and transformers: the libraries
are part of the bill, so each process loads only what it needs.
"""

import json
import pickle
import subprocess
import tempfile
import timeit
from pathlib import Path

import numpy as np
import pandas as pd

from hf_llm.config import child_environment, python
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact
from hf_llm.experiments.frame.charts import Figure, label, name_of, new_figure, style
from hf_llm.experiments.tfidf_vs_llm.methods import METHODS, TFIDF, FineTuned, Linear
from hf_llm.experiments.tfidf_vs_llm.training import base_of, grid_of, test_of, trained_on_all
from hf_llm.tokenization.tokenizer import without_document_start

SLOWER, LARGER = 10, 2  # times
# the frozen GPT-2 and zero-shot hold the same network as the fine-tuned one
QUICKLY_SERVED, SERVED = ("tfidf_words", "gpt2_finetuned"), (*TFIDF, "gpt2_finetuned")
WARM_UP, REPEATS = 5, 7  # messages before the clock counts; the fastest repeat is a message's time
MEGABYTE = 1e6


def measure(study: Study) -> Tables:
    """Time single messages for each seed; the first one's models are saved, and loaded each in a process of its own."""
    grid, base = grid_of(study), base_of(study)
    latency, footprint = [], []
    for seed, name in study.track([(seed, name) for seed in study.seeds for name in METHODS]):
        method, texts = trained_on_all(name, base, grid, seed), test_of(seed, WARM_UP + grid.timed).texts
        p50, p95 = np.percentile([seconds_of(method, text) for text in texts][WARM_UP:], [50, 95])
        latency.append({"method": name, "seed": seed, "p50": 1000 * p50, "p95": 1000 * p95})
        if seed == study.seeds[0] and name in study.pick(QUICKLY_SERVED, SERVED):
            footprint.append({"method": name} | footprint_of(method, texts))
    return {"latency": pd.DataFrame(latency), "footprint": pd.DataFrame(footprint)}


def seconds_of(method, text: str) -> float:
    """Return the time that one message takes when nothing else on the machine comes in between."""
    return min(timeit.repeat(lambda: method.scores((text,)), number=1, repeat=REPEATS))


def footprint_of(method: Linear | FineTuned, texts: tuple[str, ...]) -> dict[str, float]:
    """Return `disk`, MB of the saved method, and `memory`, MB of a process that has loaded it and read the texts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if isinstance(method, Linear):
            (folder / "model.pickle").write_bytes(pickle.dumps(method.pipeline))
        else:
            method.model.save_pretrained(folder)
            without_document_start(method.base.tokenizer).save_pretrained(folder)
        disk = sum(path.stat().st_size for path in folder.iterdir())
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        command = python("-m", "hf_llm.experiments.tfidf_vs_llm.serve", str(folder))
        environment = child_environment(OMP_NUM_THREADS="1")
        printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return {"disk": disk / MEGABYTE, "memory": json.loads(printed)["memory"] / MEGABYTE}


def findings(tables: Tables) -> list[Finding]:
    latency, footprint = tables["latency"], tables["footprint"].set_index("method")

    gpt2, words = (by_seed(latency, "p50", method=method) for method in ("gpt2_finetuned", "tfidf_words"))

    def larger(column: str) -> float:
        return footprint.loc["gpt2_finetuned", column] / footprint.loc["tfidf_words", column]

    return [
        above("message_slower", gpt2 / words, SLOWER, scale="log", timed=True),
        exact("more_memory", larger("memory"), LARGER, timed=True),
        exact("more_disk", larger("disk"), LARGER, timed=True),
    ]


def costs(tables: Tables) -> pd.DataFrame:
    """Return milliseconds per message, means over the seeds, and MB where a process was measured."""
    rows = tables["latency"].groupby("method", sort=False)[["p50", "p95"]].mean().round(2).reset_index()
    table = rows.merge(tables["footprint"].round(1), on="method", how="left").astype(object)
    return table.where(table.notna(), None)


def draw_costs(tables: Tables, say: Say) -> Figure:
    """Time per message of each method, median and 95th percentile; memory of the process and bytes on disk."""
    table = costs(tables)
    figure, axes = new_figure(1, 2, width=5.2, height=3.4)
    panels = ((table, ("p50", "p95"), "milliseconds"), (table.dropna(), ("memory", "disk"), "megabytes"))
    for axis, (rows, columns, unit) in zip(axes[0], panels):
        heights = np.arange(len(rows))[::-1]
        for column, marker in zip(columns, "o|"):
            shown = {"ms": 14 if marker == "|" else 7, "mew": 2, "color": style(columns.index(column))["color"]}
            axis.plot(rows[column].astype(float), heights, marker, label=say(f"figures.{column}"), **shown)
        axis.set_yticks(heights, [name_of(method, say) for method in rows["method"]])
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.set_xscale("log")
        label(axis, say(f"figures.{unit}"), "")
    return figure


FIGURES = {"costs": draw_costs}
SUMMARIES = {"costs": costs}
TIMED = {"latency", "footprint"}
