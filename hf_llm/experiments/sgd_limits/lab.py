"""The experiment `sgd-limits`."""

from scipy.stats import gmean

from hf_llm.experiments.frame import Lab, Study, Tables, select
from hf_llm.experiments.sgd_limits import layers, memory, race, rare_tokens, regression, token_frequencies
from hf_llm.experiments.sgd_limits.rules import RULES, rates_around
from hf_llm.experiments.sgd_limits.text_model import TENTHS, read_parts, size_of
from hf_llm.models.gpt2 import gpt2_config, parameter_counts


def settings(study: Study) -> dict:
    size = size_of(study)
    parts = read_parts(size)
    vocab = len(parts.corpus.tokenizer)
    return {
        "data": parts.corpus.name, "data_sha256": parts.corpus.sha256, "characters": size.characters,
        "tokens": {part: len(ids) for part, ids in parts.ids.items()}, "vocab_size": vocab,
        "model": size.shape,
        "parameters": parameter_counts(gpt2_config("nano", **size.shape, vocab_size=vocab))["total"],
        "steps": size.steps, "batch": size.batch, "batch_tokens": size.batch * size.shape["n_positions"],
        "rates_tried": len(rates_around(1.0, study)), "longer": race.LONGER,
        "weight_decay": RULES["adamw"].changes["weight_decay"],
        "regression_steps": study.pick(*regression.STEPS), "features": regression.FEATURES,
        "times_larger": regression.SPREADS["unscaled"],
        "generated_tokens": study.pick(*token_frequencies.TOKENS),
        "generated_steps": study.pick(*token_frequencies.STEPS), "generated_model": token_frequencies.SHAPE,
        "partner": token_frequencies.PARTNER, "larger_models": memory.LARGER,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite beside their own value: gaps by frequency, gaps closed, edges, memory."""
    behind = race.behind_adam(tables, "momentum").mean()
    edges = [*race.chosen_rates(tables["search"])["edge"], *regression.chosen_rates(tables)["edge"],
              *token_frequencies.chosen_rates(tables)["edge"]]  # fmt: skip
    return {
        "reached": float(race.reached(tables).mean()),
        "finer": race.finer(tables["search"]),
        "gap_rare": float(rare_tokens.gap(tables, 1).mean()),
        "gap_frequent": float(rare_tokens.gap(tables, TENTHS).mean()),
        "rare_occurrences": int(select(tables["tenths"], tenth=1)["most"].iloc[0]),
        "text_rare": rare_tokens.share(tables, 1),
        "relative_rare": float(rare_tokens.relative(tables, 1).mean() - 1),
        "relative_frequent": float(rare_tokens.relative(tables, TENTHS).mean() - 1),
        "rare_half": float(rare_tokens.gap_of_half(tables, rare_tokens.RARER_HALF).mean()),
        "frequent_half": float(rare_tokens.gap_of_half(tables, rare_tokens.FREQUENT_HALF).mean()),
        "zipf_ratio": float(gmean(token_frequencies.relative(tables, "zipf"))),
        "uniform_ratio": float(gmean(token_frequencies.relative(tables, "uniform"))),
        "least_unscaled": float(regression.ratio(tables, "unscaled").min()),
        "frequent_tokens": int(select(tables["tenths"], tenth=TENTHS)["tokens"].iloc[0]),
        **{f"{name}_gap": float(race.behind_adam(tables, name).mean()) for name in ("sgd", "blocks", "signs")},
        "closed_by_signs": float(1 - race.behind_adam(tables, "signs").mean() / behind),
        "closed_by_blocks": float(1 - race.behind_adam(tables, "blocks").mean() / behind),
        "largest": round(memory.LARGER["gpt3"] / 1e9),
        "edges": int(sum(edges)),
        "searches": len(edges),
        **{f"{name}_bytes": memory.per_parameter(tables, name) for name in race.CLASSIC},
        **{f"{name}_gigabytes": memory.gigabytes(tables, name) for name in race.CLASSIC},
    }


LAB = Lab(
    folder="sgd_limits",
    parts=[race, rare_tokens, layers, token_frequencies, regression, memory],
    lecture=["L33"],
    figure="groups",
    shown=[
        "momentum_behind_adam", "behind_after_longer", "more_behind_on_rare", "most_of_gap_is_rare",
        "zipf_widens_gap", "adam_ahead_on_scaled",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"momentum_behind_adam": "yes", "most_of_gap_is_rare": "yes"},
        "b": {"momentum_behind_adam": "yes", "more_behind_on_rare": "yes", "most_of_gap_is_rare": "no"},
        "c": {"momentum_behind_adam": "no"},
    },
)  # fmt: skip
