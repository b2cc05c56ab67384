"""The experiment `gpt2-anatomy`."""

from hf_llm.experiments.frame import Lab, Study, Tables, best, select
from hf_llm.experiments.gpt2_anatomy import embedding_table, flattened, importance, looks, order, removed
from hf_llm.experiments.gpt2_anatomy.training import VARIANTS, grid_of, read_parts
from hf_llm.models.gpt2 import gpt2_config, parameter_counts


def settings(study: Study) -> dict:
    grid = grid_of(study)
    parts = read_parts(grid)
    shape = grid.shape(None, len(parts.corpus.tokenizer))
    return {
        "data": parts.corpus.name, "data_sha256": parts.corpus.sha256,
        "tokens": {part: len(ids) for part, ids in parts.ids.items()},
        "model": {**shape, "parameters": parameter_counts(gpt2_config(**shape))["total"]}, "layers": grid.layers,
        "variants": list(VARIANTS), "rates": grid.rates, "steps": grid.steps, "search_steps": grid.search_steps,
        "batch": grid.batch, "context": grid.context, "vocab_size": grid.vocab_size, "scored": grid.scored,
        "seen": grid.steps * grid.batch * grid.context, "windows": grid.windows,
        "masked_windows": grid.masked_windows,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite beside the values that are judged: levels, in bits per byte and in shares."""
    bits = tables["removed"].groupby("variant")["bits"].mean()
    counted = tables["counted"].set_index("counts")["bits"]
    probe = tables["probe"].groupby(["property", "source"])["accuracy"].mean()
    classmates = tables["classmates"].groupby("when")["share"].mean()
    explained = tables["explained"].groupby("by")["share"].mean()
    chosen = best(tables["search"], "rate", "bits", by=["variant"])
    points = tables["training"]["step"]
    importance_of = select(tables["importance"], model="trained", effect="prediction").groupby("signal").mean(
        numeric_only=True
    )  # fmt: skip
    return {
        "whole": float(bits["whole"]), "bigram": float(counted["bigram"]), "unigram": float(counted["unigram"]),
        "first_step": int(points.min()), "at_edge": int(chosen["edge"].sum()), "searched": len(chosen),
        **{f"{name}_{source}": float(probe[name, source])
           for name in embedding_table.PROPERTIES for source in ("trained", "frequency")},
        **{f"classmates_{when}": float(value) for when, value in classmates.items()},
        **{f"explained_{by}": float(value) for by, value in explained.items()},
        "recency": float(importance_of.loc["recency", "correlation"]),
        "word_tokens": int(select(tables["probe"], property="word_class")["tokens"].iloc[0]),
    }  # fmt: skip


LAB = Lab(
    folder="gpt2_anatomy",
    parts=[removed, order, embedding_table, looks, flattened, importance],
    lecture=["L25", "L37", "L40", "L41"],
    figure="costs",
    shown=[
        "cost_mlp", "cost_attention", "cost_positions", "order_positions", "probe_word_class", "flat_everywhere",
        "weight_says",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"attention_cost_most": "yes"},
        "b": {"mlp_cost_most": "yes"},
        "c": {"residuals_cost_most": "yes"},
    },
)  # fmt: skip
