"""Removed: what a text costs a GPT-2 that was trained without one of its parts, each at a learning rate of its own."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd

from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, means, select, within
from hf_llm.experiments.frame.charts import Figure, curves, dots, label, new_figure
from hf_llm.experiments.gpt2_anatomy.training import VARIANTS, Grid, grid_of, read_parts, trained, trial, untrained
from hf_llm.experiments.shared.short_run import SEARCH_SEED
from hf_llm.tokenization.byte_lengths import token_byte_lengths

WORTH = 0.05  # bits per byte from which a difference counts: about two in a hundred of what the text costs
LEFT_OUT = ("residuals", "mlp", "attention", "positions", "norms")  # whose cost is compared
CURVES = ("whole", "positions", "mlp", "attention")
PRIORS = (10, 30, 100, 300)  # tokens that the bigram table's prior is worth; validation picks


def measure(study: Study) -> Tables:
    grid, rows, points = grid_of(study), [], []
    search = [
        {"variant": variant, "rate": rate, "seed": SEARCH_SEED, "bits": trial(grid, variant, rate)}
        for variant in VARIANTS for rate in grid.rates
    ]  # fmt: skip
    for variant, seed in study.track([(variant, seed) for variant in VARIANTS for seed in study.seeds]):
        model, curve = trained(grid, variant, seed)
        described = {"variant": variant, "seed": seed}
        parameters = sum(p.numel() for p in untrained(grid, variant, seed).parameters() if p.requires_grad)
        rows.append(described | {"bits": test_bits(grid, model), "parameters": parameters})
        points += [described | point for point in curve]
    tables = {"search": search, "removed": rows, "training": points, "counted": counted(grid)}
    return {name: pd.DataFrame(table) for name, table in tables.items()}


def test_bits(grid: Grid, model) -> float:
    parts = read_parts(grid)
    lengths = token_byte_lengths(parts.corpus.tokenizer)
    return evaluate_tokens(
        model, parts.ids["test"], lengths, stride=grid.context // 2, context=grid.context, max_tokens=grid.scored
    ).bits_per_byte


def counted(grid: Grid) -> list[dict]:
    """Return what the same test costs tables of counts of the training text: of tokens, and of pairs of tokens.

    A pair's probability leans on that of the single token, as by a Dirichlet prior (MacKay and Peto 1995).
    """
    parts = read_parts(grid)
    train, vocab = parts.ids["train"].tolist(), len(parts.corpus.tokenizer)
    singles, pairs = Counter(train), Counter(pairwise(train))
    lengths = token_byte_lengths(parts.corpus.tokenizer)

    def cost(part: str, prior: float, tokens: int) -> float:
        ids = parts.ids[part][: tokens + 1].tolist()
        single = {b: (singles[b] + 1) / (len(train) + vocab) for b in ids}
        nats = -sum(np.log((pairs[a, b] + prior * single[b]) / (singles[a] + prior)) for a, b in pairwise(ids))
        return float(nats / np.log(2) / lengths[ids[1:]].sum())

    prior = min(PRIORS, key=lambda prior: cost("validation", prior, grid.scored // 4))
    return [
        {"counts": "unigram", "bits": cost("test", 1e12, grid.scored)},  # so strong a prior leaves the single tokens
        {"counts": "bigram", "bits": cost("test", prior, grid.scored)},
    ]  # fmt: skip


def costs(tables: Tables) -> dict[str, np.ndarray]:
    """Return by how many bits per byte each variant is worse than the whole model with as many layers, (seeds,).

    A whole model of one layer is worse than the one of two by what the second layer is worth.
    """
    bits = {variant: by_seed(tables["removed"], "bits", variant=variant) for variant in VARIANTS}
    against = dict.fromkeys(VARIANTS, "whole") | {"positions_one_layer": "whole_one_layer"}
    return {variant: bits[variant] - bits[against[variant]] for variant in VARIANTS if variant != "whole"}


def findings(tables: Tables) -> list[Finding]:
    cost = costs(tables)

    def most(part: str) -> np.ndarray:
        return cost[part] - max((cost[other] for other in LEFT_OUT if other != part), key=np.mean)

    table, bigram = tables["training"], select(tables["counted"], counts="bigram")["bits"].item()
    steps = (table["step"].min(), table["step"].max())
    early, late = (
        by_seed(table, "bits", variant="attention", step=step) - by_seed(table, "bits", variant="whole", step=step)
        for step in steps
    )
    return [
        *(above(f"cost_{part}", cost[part], WORTH) for part in LEFT_OUT),
        *(above(f"{part}_cost_most", most(part)) for part in ("residuals", "mlp", "attention")),
        within("sinusoidal_is_as_good", cost["sinusoidal"], WORTH),
        above("cost_positions_one_layer", cost["positions_one_layer"], WORTH),
        above("cost_mlp_deeper", cost["mlp_deeper"], WORTH),
        above("cost_second_layer", cost["whole_one_layer"], WORTH),
        within("attentionless_is_bigram", by_seed(tables["removed"], "bits", variant="attention") - bigram, WORTH),
        above("attention_pays_later", late - early),
    ]


def summary(tables: Tables) -> pd.DataFrame:
    rates = best(tables["search"], "rate", "bits", by=["variant"]).set_index("variant")["rate"]
    rows = means(tables["removed"], ["variant"], ["parameters", "bits"])
    cost = {"whole": 0.0} | {name: values.mean() for name, values in costs(tables).items()}
    rows.insert(1, "rate", rows["variant"].map(rates))
    return rows.assign(parameters=rows["parameters"].astype(int), cost=rows["variant"].map(cost)).round(4)


def draw_costs(tables: Tables, say: Say) -> Figure:
    """What each missing part costs; the lines are the whole model and the tables of counts."""
    table, order = tables["removed"], [variant for variant in VARIANTS if not variant.endswith("one_layer")]
    order = sorted(order, key=lambda variant: select(table, variant=variant)["bits"].mean())
    figure, ((axis,),) = new_figure(1, 1, width=7, height=3.4)
    dots(axis, table, "bits", "variant", say, keys=order)
    for row, dashes in zip(tables["counted"].itertuples(), ("-.", "--")):
        axis.axvline(row.bits, color="black", lw=0.8, ls=dashes, label=say(f"names.{row.counts}"))
    label(axis, say("figures.bits"), "")
    return figure


def draw_training(tables: Tables, say: Say) -> Figure:
    figure, ((axis,),) = new_figure(1, 1, width=6, height=3.6)
    curves(axis, tables["training"], "step", "bits", "variant", say, keys=CURVES)
    label(axis, say("figures.step"), say("figures.validation"))
    return figure


FIGURES = {"costs": draw_costs, "training": draw_training}
SUMMARIES = {"removed": summary}
