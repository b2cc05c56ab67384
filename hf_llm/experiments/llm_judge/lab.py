"""The experiment `llm-judge`."""

from hf_llm.experiments.frame import Lab, Study, Tables, by_seed
from hf_llm.experiments.llm_judge import (
    abstaining,
    blinding,
    calibrating,
    flips,
    position,
    selection,
    uncovered,
    verbosity,
)
from hf_llm.experiments.llm_judge.cases import FACTS, FILLERS, PASS, PROXY, SPOKEN
from hf_llm.experiments.llm_judge.history import BIAS, TEST_SHARE
from hf_llm.experiments.llm_judge.training import grid_of
from hf_llm.experiments.llm_judge.trials import FOUR_FIFTHS
from hf_llm.models.gpt2 import gpt2_config, parameter_counts


def settings(study: Study) -> dict:
    grid = grid_of(study)
    model = gpt2_config(**grid.shape, vocab_size=grid.vocab_size)
    return {
        "data": "generated", "model": {**grid.shape, "initial_scale": grid.initial_scale},
        "parameters": parameter_counts(model)["total"], "vocab_size": grid.vocab_size, "judge": study.judge or "own",
        "decided": grid.decided, "steps": grid.steps, "batch": grid.batch, "learning_rate": grid.rate,
        "tests": grid.tests, "combinations": len(FACTS), "test_share": TEST_SHARE, "pass_points": PASS, "bias": BIAS,
        "proxy": PROXY, "spoken": SPOKEN, "fillers": FILLERS - 1, "far": position.FAR, "four_fifths": FOUR_FIFTHS,
        "automatic": abstaining.AUTOMATIC,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite beside what they judge, means over the seeds."""
    selected, turned, abstained = tables["selection"], tables["flips"], tables["abstaining"]

    def mean(table, column: str, **settings) -> float:
        return float(by_seed(table, column, **settings).mean())

    women, men = (mean(selected, group, judge="history", slice="all") for group in ("women", "men"))
    return {
        "history_women": women,
        "history_men": men,
        "history_gap": 100 * (men - women),
        "name_flips": 100 * mean(turned, "flips", judge="history", change="name_and_gender"),
        "same_name_flips": 100 * mean(turned, "flips", judge="history", change="same_gender_name"),
        "seen_register_flips": 100 * mean(turned, "flips", judge="fair_spoken", change="register"),
        "fair_register_flips": 100 * mean(turned, "flips", judge="fair", change="register"),
        "register_shift": 100 * mean(turned, "shift", judge="fair", change="register"),
        "rule_first": 100 * mean(tables["position"], "first", judge="biased_rule", lead=position.ALL),
        **{
            f"{group}_kept": mean(abstained, f"{group}_kept", judge="history", coverage=abstaining.AUTOMATIC)
            for group in ("women", "men")
        },
        "to_person": 1 - abstaining.AUTOMATIC,
        "error_all": 100 * mean(abstained, "error", judge="history", coverage=1.0),
        "error_automatic": 100 * mean(abstained, "error", judge="history", coverage=abstaining.AUTOMATIC),
    }


LAB = Lab(
    folder="llm_judge",
    parts=[selection, flips, verbosity, position, blinding, calibrating, abstaining, uncovered],
    lecture=["L46"],
    figure="blinding",
    shown=[
        "history_ratio", "history_kappa", "name_turns", "proxy_leaks", "abstaining_ratio", "register_over_name",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"history_kappa": "yes", "history_ratio": "no"},
        "b": {"history_ratio": "yes", "proxy_leaks": "no"},
        "c": {"history_ratio": "yes", "proxy_leaks": "yes"},
    },
)  # fmt: skip
