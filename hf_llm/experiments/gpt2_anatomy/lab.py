"""The experiment `gpt2-anatomy`."""

from hf_llm.experiments.frame import Lab, Study, Tables, best, select
from hf_llm.experiments.gpt2_anatomy import embedding_table, flattened, importance, looks, order, removed
from hf_llm.experiments.gpt2_anatomy.training import VARIANTS, grid_of, read_parts
from hf_llm.models.gpt2 import gpt2_config, parameter_counts
from hf_llm.texts import both


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
    """Return what the sentences cite beside the values that are judged."""
    probe = tables["probe"].groupby(["property", "source"])["accuracy"].mean()
    classmates = tables["classmates"].groupby("when")["share"].mean()
    explained = tables["explained"].groupby("by")["share"].mean()
    chosen = best(tables["search"], "rate", "bits", by=["variant"])
    cost = removed.costs(tables)
    costliest = max(removed.LEFT_OUT, key=lambda part: cost[part].mean())
    spread = select(flattened.losses(tables), where="all", how="uniform")["lost"]
    nearness = select(tables["importance"], model="trained", effect="prediction", signal="recency")
    return {
        "parameters": int(select(tables["removed"], variant="whole")["parameters"].iloc[0]),
        "costliest": both(f"gpt2_anatomy.names.{costliest}"),
        "first_step": int(tables["training"]["step"].min()),
        "rate_count": tables["search"]["rate"].nunique(), "at_edge": int(chosen["edge"].sum()), "searched": len(chosen),
        "kept": order.farthest_kept(tables["order"]),
        **{f"{name}_trained": float(probe[name, "trained"]) for name in embedding_table.PROPERTIES},
        "word_class_chance": embedding_table.CHANCE["word_class"],
        "word_tokens": int(select(tables["probe"], property="word_class")["tokens"].iloc[0]),
        **{f"classmates_{when}": float(value) for when, value in classmates.items()},
        **{f"explained_{by}": float(explained[by]) for by in ("distance", "tokens")},
        "recency": float(nearness["correlation"].mean()),
        "flattened": float(spread.mean()), "untaught": float(cost["attention"].mean()),
    }  # fmt: skip


LAB = Lab(
    folder="gpt2_anatomy",
    parts=[removed, order, embedding_table, looks, flattened, importance],
    lecture=["L25", "L37", "L40", "L41"],
    figure="costs",
    shown=[
        "cost_residuals", "cost_mlp", "cost_attention", "order_positions", "probe_word_class", "weight_says",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"attention_cost_most": "yes"},
        "b": {"mlp_cost_most": "yes"},
        "c": {"residuals_cost_most": "yes"},
    },
)  # fmt: skip
