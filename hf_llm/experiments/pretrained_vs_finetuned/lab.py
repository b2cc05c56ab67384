"""The experiment `pretrained-vs-finetuned`."""

from dataclasses import asdict

from hf_llm.experiments.frame import Lab, Study, Tables, select
from hf_llm.experiments.pretrained_vs_finetuned import few_labels, other_corpus, token_by_token
from hf_llm.experiments.pretrained_vs_finetuned.starts import PRETRAINED, STARTS, base_of, message_parts
from hf_llm.experiments.pretrained_vs_finetuned.training import CONTEXT, grid_of, setup_of, story


def settings(study: Study) -> dict:
    grid, setup, parts = grid_of(study), setup_of(study), message_parts()
    bases = {start: base_of(setup, start).facts for start in PRETRAINED}
    return {
        "base": bases["pretrained"]["text"], "parameters": bases["pretrained"]["parameters"], "bases": bases,
        "pretraining_tokens": bases["messages"]["tokens_seen"], "starts": STARTS,
        "messages": {part: len(messages) for part, messages in parts.items()},
        "spam": float(parts["test"].labels.mean()), "few": grid.shares[0].count, "many": grid.shares[-1].count,
        "draws": grid.shares[0].draws, "dealt": grid.shares[1].count,
        "shares": [asdict(share) | {"labels": share.count} for share in grid.shares],
        "batch": grid.batch, "context": CONTEXT,
        "story": story(setup, "pretrained").corpus.name, "story_bytes": story(setup, "pretrained").corpus.bytes,
        "story_rates": grid.story_rates, "story_steps": grid.story_steps, "windows": grid.windows,
        "old_tokens": grid.old_tokens, "story_tokens": grid.story_steps * grid.windows * CONTEXT,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return the means that the sentences cite beside a difference."""
    labels, ends = few_labels.averaged(tables), other_corpus.at_the_end(tables).set_index("start")
    few, many = (select(labels, count=end(labels["count"])).groupby("setting") for end in (min, max))
    from_scratch = select(tables["labels"], setting="scratch", count=labels["count"].min())["f1"]
    rates = [*few_labels.chosen(tables)["edge"], *other_corpus.chosen(tables)["edge"]]
    return {
        **few["f1"].mean().add_prefix("few_"),
        **few["auc"].mean().add_prefix("rank_"),
        **many["f1"].mean().add_prefix("many_"),
        **{f"story_{start}": float(ends.loc[start, "after"]) for start in other_corpus.READERS},
        "story_before": float(ends.loc["pretrained", "before"]),
        "at_edge": int(sum(rates)),
        "chosen": len(rates),
        "scratch_worst": float(from_scratch.min()),
        "scratch_best": float(from_scratch.max()),
        "rank_dealt": float(tables["shuffled_labels"]["auc"].mean()),
        "moved": float(tables["shift"]["moved"].mean()),
        "moved_by_order": float(tables["shift"]["moved_by_order"].mean()),
    }


LAB = Lab(
    folder="pretrained_vs_finetuned",
    parts=[few_labels, other_corpus, token_by_token],
    lecture=["L43"],
    figure="few_labels",
    shown=["saves_bits", "unlabelled_helps_few", "unlabelled_ranks_few", "general_helps_many"],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"general_helps_few": "yes", "general_helps_many": "yes"},
        "b": {"general_helps_few": "yes", "general_helps_many": "no"},
        "c": {"unlabelled_helps_few": "yes", "unlabelled_over_general": "yes"},
    },
)  # fmt: skip
