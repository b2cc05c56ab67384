"""The experiment `transformer-dropout`."""

from hf_llm.experiments.frame import Lab, Study, Tables, by_seed
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.experiments.transformer_dropout import library, modes, places
from hf_llm.experiments.transformer_dropout.sites import SETTINGS
from hf_llm.experiments.transformer_dropout.training import grid_of
from hf_llm.models.gpt2 import gpt2_config, parameter_counts
from hf_llm.texts import both


def settings(study: Study) -> dict:
    grid = grid_of(study)
    parts = TextParts.read("the-verdict", grid.vocab_size)
    model = gpt2_config(**grid.shape, vocab_size=len(parts.corpus.tokenizer))
    return {
        "data": parts.corpus.name, "data_sha256": parts.corpus.sha256,
        "tokens": {part: len(ids) for part, ids in parts.ids.items()},
        "train_tokens": grid.train_tokens or len(parts.ids["train"]), "vocab_size": len(parts.corpus.tokenizer),
        "model": {**grid.shape, "parameters": parameter_counts(model)["total"]}, "sites": SETTINGS,
        "probabilities": grid.probabilities, "middle": grid.middle, "most": grid.probabilities[-1],
        "steps": grid.steps, "evaluations": grid.evaluations, "batch": grid.batch, "passes": grid.passes,
        "eval_stride": grid.shape["n_positions"], "training": grid.training,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return which setting validation likes best, and what the sentences cite beside a difference."""
    table, strength = places.runs(tables), places.strength(tables).set_index("setting")
    favourite, chosen, tried = places.favourite(table), places.chosen(table), table.loc[table["p"] > 0, "p"]
    return {
        "favourite": both(f"transformer_dropout.names.{favourite}"),
        "favourite_p": float(strength.loc[favourite, "p"]),
        "plain_gap": float(strength.loc["none", "gap"]),
        "dropping_gap": float(by_seed(table, "gap", setting="all", p=places.middle(table)).mean()),
        "settings_tried": len(chosen),
        "at_edge": int(chosen.isin([tried.min(), tried.max()]).sum()),
        "families": int((tables["library"]["year"] >= library.FIRST_OF_TODAY).sum()),
    }


LAB = Lab(
    folder="transformer_dropout",
    parts=[places, modes, library],
    lecture=["L18", "L32"],
    figure="gains",
    shown=[
        "training_pass_worse", "closes_gap", "worth", "lecture_over_rest_projection",
        "lecture_over_rest_attention", "mostly_lecture_projection",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"worth": "yes", "lecture_over_rest_projection": "yes"},
        "b": {"worth": "yes", "lecture_over_rest_projection": "no"},
        "c": {"worth": "yes", "all_over_lecture": "yes", "helps_lecture_projection": "no"},
    },
)  # fmt: skip
