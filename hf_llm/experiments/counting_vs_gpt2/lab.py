"""The experiment `counting-vs-gpt2`."""

from hf_llm.experiments.counting_vs_gpt2 import network, race, rules, tuned
from hf_llm.experiments.counting_vs_gpt2.race import GROWING, KB, SHORT, grid_of, middle, short_name, sizes_of
from hf_llm.experiments.frame import Lab, Study, Tables, by_seed, select
from hf_llm.experiments.shared.language_runs import read_or_sample


def settings(study: Study) -> dict:
    grid, texts = grid_of(study), {name: read_or_sample(name) for name in (*GROWING, SHORT)}
    return {
        "data": {name: text.name for name, text in texts.items()},
        "data_sha256": {name: text.sha256 for name, text in texts.items()},
        "sizes": grid.sizes, "smallest": grid.sizes[0] // KB, "watched": middle(list(grid.sizes)) // KB,
        **{f"{part}_kb": size // KB for part, size in grid.held_out.items()},
        "blocks": network.SHAPE["n_layer"], "width": network.SHAPE["n_embd"], "context": network.CONTEXT,
        "batch": network.Recipe.batch, "learning_rate": network.Recipe.learning_rate,
        "weight_decay": network.WEIGHT_DECAY, "initial_scale": network.INITIAL_SCALE,
        "tuned": {**tuned.RECIPE, "steps": study.pick(*tuned.STEPS)},
        "evaluations": network.EVALUATIONS, "largest_vocabulary": network.LARGEST_VOCABULARY,
        "bytes_per_merge": network.BYTES_PER_MERGE, "least_steps": network.LEAST_STEPS,
        "bytes_per_step": network.BYTES_PER_STEP, "limit_of_steps": grid.most_steps,
        "orders": race.LONGEST, "rules_order": rules.ORDER, "tuned_steps": study.pick(*tuned.STEPS),
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite beside a difference: sizes in KB, and bits per byte as means over the seeds."""
    scores, said = tables["scores"], {}
    for text in (SHORT, *GROWING):
        name, sizes = short_name(text), sizes_of(scores, text)
        said[f"{name}_kb"] = float(sizes[-1] / KB)
        for method in ("ngrams", "gpt2"):
            said[f"{name}_{method}"] = float(by_seed(scores, method, text=text, size=sizes[-1]).mean())
        said[f"{name}_steps"] = int(select(scores, text=text, size=sizes[-1])["steps"].max())
        said[f"{name}_watched_lead"] = float(race.lead(scores, text, middle(sizes)).mean())
    return said | {"parameters": int(scores["parameters"].max())}


LAB = Lab(
    folder="counting_vs_gpt2",
    parts=[race, tuned, rules],
    lecture=["L34", "L45"],
    figure="lead",
    shown=[
        "lead_verdict", "lead_largest_shakespeare", "lead_largest_casmurro",
        "crossing_ngrams_shakespeare", "lead_half_way_shakespeare",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"lead_verdict": "no"},
        "b": {"lead_verdict": "yes", "lead_largest_shakespeare": "no"},
        "c": {"lead_verdict": "yes", "lead_largest_shakespeare": "yes", "lead_shrinks_shakespeare": "yes"},
    },
)  # fmt: skip
