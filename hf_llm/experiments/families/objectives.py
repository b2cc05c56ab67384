"""Objectives: each family learns its own from the same text, and is compared with counting tokens.

The learning rate of those that are compared, GPT, LSTM and GRU, is the one that validation prefers in a search with a
seed of its own; the test judges. `sight`, `context` and `gates` look into each trained model here, while it is at hand.
"""

import copy
import tempfile

import pandas as pd
import torch

from hf_llm.experiments.families import context, gates, sight
from hf_llm.experiments.families.models import CAUSAL, FAMILIES, Grid, grid_of, new_task, read_parts
from hf_llm.experiments.families.unigram import unigram_bits
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, exact, means
from hf_llm.experiments.frame.charts import Figure, curves, label, name_of, new_figure
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.experiments.shared.short_run import SEARCH_SEED, short_run
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.training.loop import train
from hf_llm.training.task import Task


def measure(study: Study) -> Tables:
    """Search for a learning rate where families are compared, then train every family with every seed."""
    grid = grid_of(study)
    parts = read_parts(grid)
    jobs = [(family, None) for family in CAUSAL]
    jobs += [(family, seed) for seed in study.seeds for family in FAMILIES]
    tables: dict[str, list] = {"search": []}
    for family, seed in study.track(jobs):
        if seed is None:
            tables["search"] += search(family, parts, grid)
            continue
        rate = chosen(pd.DataFrame(tables["search"])).get(family, grid.filled_rate)
        for name, rows in train_and_look(family, parts, grid, seed, rate).items():
            tables.setdefault(name, []).extend({"family": family, "seed": seed} | row for row in rows)
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def search(family: str, parts: TextParts, grid: Grid) -> list[dict]:
    """Return one row a rate: bits per byte of the validation text after `search_steps`."""
    rows = []
    for rate in grid.rates:
        bits = learn(new_task(family, parts, grid, SEARCH_SEED), grid.search_steps, 1, rate)[-1]["bits"]
        rows.append({"family": family, "rate": rate, "seed": SEARCH_SEED, "bits": bits})
    return rows


def chosen(table: pd.DataFrame) -> pd.Series:
    """Return the rate that validation picks for each family, which is the index."""
    return best(table, "rate", "bits", by=["family"]).set_index("family")["rate"]


def train_and_look(family: str, parts: TextParts, grid: Grid, seed: int, rate: float) -> dict[str, list[dict]]:
    """Train one model; return the rows of each table, without `family` and `seed`."""
    task = new_task(family, parts, grid, seed)
    judge = on_test(task, parts)
    row = {"parameters": task.model.num_parameters(), "steps": grid.steps_of(family)}
    row |= {"before": judge.evaluate(task.model)["bits_per_byte"]}
    tables = gates.look_untrained(family, task.model, parts, grid)
    tables |= {"curves": learn(task, grid.steps_of(family), grid.evaluations, rate)}
    row |= {
        "after": judge.evaluate(task.model)["bits_per_byte"],
        "unigram": unigram_bits(family, judge, parts.ids["train"]),
        "loading_error": loading_error(family, task),
    }
    for part in (sight, context, gates):
        for name, rows in part.look(family, task, parts, grid, seed).items():
            tables[name] = tables.get(name, []) + rows
    return {"objectives": [row], **tables}


def on_test(task: Task, parts: TextParts) -> Task:
    """Return the same task, which evaluates on the test part."""
    judge = copy.copy(task)
    judge.validation, judge.eval_tokens = TokenArray([parts.ids["test"]]), None
    return judge


def learn(task: Task, steps: int, evaluations: int, rate: float) -> list[dict]:
    """Train at a rate that stays the same after a warm-up: each point of the curve is a training that ends there.

    Returns `step` and `bits`: validation's bits per byte of what is predicted, before the first step too.
    """
    start, batch = task.evaluate(task.model), task.plan.total_batch_size
    config = short_run(
        steps, rate, task.seed, total_batch_size=batch, per_device_train_batch_size=batch,
        eval_steps=max(1, steps // evaluations), min_learning_rate_ratio=1.0,
    )  # fmt: skip
    records = [{"step": 0, **start}, *train(task, config).records]
    return [{"step": one["step"], "bits": one["bits_per_byte"]} for one in records if "bits_per_byte" in one]


@torch.inference_mode()
def loading_error(family: str, task: Task) -> float:
    """Save the model, load it through its Auto class and return the largest difference of a logit: 0 when it is it."""
    model, batch = task.model.eval(), task.batch(0, 0, 0)
    inputs = {name: tensor for name, tensor in batch.items() if name in ("input_ids", "decoder_input_ids")}
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        loaded = FAMILIES[family].from_pretrained(folder, trust_remote_code=False)
        return (loaded(**inputs).logits - model(**inputs).logits).abs().max().item()


def findings(tables: Tables) -> list[Finding]:
    table = tables["objectives"].assign(gain=lambda rows: rows["unigram"] - rows["after"])
    least = min(FAMILIES, key=lambda family: by_seed(table, "gain", family=family).mean())
    return [
        above("every_family_learns", by_seed(table, "gain", family=least)),
        exact("same_after_loading", table["loading_error"].max(), 0.0, side="within"),
    ]


def summary(tables: Tables) -> pd.DataFrame:
    """Return one row a family: means over the seeds."""
    table = means(tables["objectives"], ["family"], ["parameters", "steps", "before", "unigram", "after"])
    table[["parameters", "steps"]] = table[["parameters", "steps"]].astype(int)
    return table.round(3)


def rate_summary(tables: Tables) -> pd.DataFrame:
    """Return the rates that the search chose, and whether one is the edge of its grid."""
    rates = best(tables["search"], "rate", "bits", by=["family"])
    return rates.assign(edge=rates["edge"].map({True: "at_edge", False: "inside"}))


def draw_learning(tables: Tables, say: Say) -> Figure:
    """Validation along the training, a panel for those that predict the next token, one for the others."""
    figure, axes = new_figure(1, 2, width=5, height=3.6)
    groups = {"next_token": CAUSAL, "hidden_text": [family for family in FAMILIES if family not in CAUSAL]}
    for axis, (name, families) in zip(axes[0], groups.items()):
        curves(axis, tables["curves"], "step", "bits", "family", say, keys=families)
        label(axis, say("figures.step"), say("figures.bits"), name_of(name, say))
    return figure


FIGURES = {"learning": draw_learning}
SUMMARIES = {"objectives": summary, "search": rate_summary}
