"""The experiment `attention-scaling`."""

from hf_llm.experiments.attention_scaling import agreement, length, sizes, square
from hf_llm.experiments.attention_scaling.contenders import size_of
from hf_llm.experiments.attention_scaling.sentences import FORMS, WORDS
from hf_llm.experiments.frame import Lab, Study, Tables, select


def settings(study: Study) -> dict:
    grid = study.pick(agreement.QUICK, agreement.FULL)
    return {
        "shape": length.SHAPE, "block": {"width": square.WIDTH, "heads": square.HEADS}, "gpt3": sizes.GPT3,
        "gpt3_tokens": sizes.GPT3_TOKENS, "window": sizes.WINDOW, "widths": square.WIDTHS,
        "agreement": {"shape": grid.shape, "rates": grid.rates, "batch": grid.batch, "windows": grid.windows},
        "agreement_parameters": size_of(grid.shape), "steps": grid.steps, "every": grid.every,
        "sentences": grid.sentences, "words": len(WORDS), "good": agreement.GOOD, "rates": len(grid.rates),
        "chance": 1 / len(FORMS),
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    table = tables["sizes"]
    gpt3 = select(table, size="gpt3").iloc[0]
    return {
        "gpt3_billions": float(gpt3["parameters"] / 1e9),
        "gpt3_crossing": float(square.WIDTHS * gpt3["width"]), "gpt3_context": int(gpt3["context"]),
        "gpt3_cache_gb": float(gpt3["cache"] / 1e9), "gpt3_training_tb": float(gpt3["training_bytes"] / 1e12),
        "sizes": len(table), "timed_sizes": len(tables["activations"]),
        **length.quantities(tables), **square.quantities(tables), **agreement.quantities(tables),
    }  # fmt: skip


LAB = Lab(
    folder="attention_scaling",
    parts=[sizes, length, square, agreement],
    lecture=["L44", "L39", "L22"],
    figure="length",
    shown=[
        "gpt2_does_not_wait", "more_at_once", "overtakes_at_widths", "lstm_as_good", "lstm_better_beyond",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"gpt2_does_not_wait": "yes", "lstm_waits": "yes"},
        "b": {"gpt2_agrees": "yes", "lstm_as_good": "no", "gpt2_agrees_beyond": "yes"},
        "c": {"less_work": "yes"},
    },
)  # fmt: skip
