"""The experiment `families`."""

from dataclasses import asdict

from scipy.stats import gmean

from hf_llm.experiments.families import context, gates, objectives, race, sight
from hf_llm.experiments.families.models import RECURRENT, gpt_parameters, grid_of, new_causal_lm, read_parts
from hf_llm.experiments.frame import Lab, Study, Tables, by_seed, means, select


def settings(study: Study) -> dict:
    grid = grid_of(study)
    parts = read_parts(grid)
    vocab_size = len(parts.corpus.tokenizer)
    widths = {family: new_causal_lm(family, grid, vocab_size, 0, grid.context).config.n_embd for family in RECURRENT}
    return {
        "data": parts.corpus.name, "data_sha256": parts.corpus.sha256,
        "tokens": {part: len(ids) for part, ids in parts.ids.items()}, **asdict(grid),
        "vocab_size": vocab_size, "parameters": gpt_parameters(grid, vocab_size), "widths": widths,
        "tokens_read": grid.steps * grid.step_tokens,
        "half_window": grid.context // 2, "short_row": grid.context // 8,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite besides: costs, the LSTM's memory in its top layer, operations that wait."""
    judged = means(tables["objectives"], ["family"], ["after"]).set_index("family")
    top = tables["memory"]["layer"].max()
    after = select(tables["memory"], family="lstm", layer=top, when="after")
    distances = sorted(tables["reach"]["distance"].unique())
    farthest = select(tables["reach"], distance=distances[-1])
    return {
        **{f"{family}_bits": float(judged.loc[family, "after"]) for family in ("gpt", "lstm")},
        **{f"{family}_operations": race.operations(tables, family)[1] for family in ("gpt", "lstm")},
        "half_life_after": float(gmean(after["long"])),  # geometric, as of a ratio
        "half_life_middle": float(gmean(after["middle"])),
        "near": int(distances[context.NEXT]),
        "far": int(distances[-1]),
        **{
            f"{family}_influence": float(gmean(by_seed(farthest, "influence", family=family)))
            for family in ("gpt", "lstm")
        },
    }


LAB = Lab(
    folder="families",
    parts=[objectives, race, context, sight, gates],
    lecture=["L20", "L21", "L22"],
    figure="race",
    shown=[
        "gpt_better_after_same_tokens", "gpt_better_after_same_time", "lstm_waits_longer",
        "gpt_gains_more_from_context", "right_side_helps_bert", "forget_shut_costs",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"gpt_better_after_same_tokens": "yes"},
        "b": {"gpt_better_after_same_tokens": "no", "gpt_gains_more_from_context": "yes"},
        "c": {"gpt_better_after_same_tokens": "no", "gpt_gains_more_from_context": "no"},
    },
)  # fmt: skip
