"""The experiment `tfidf-vs-llm`."""

import pandas as pd

from hf_llm.data import read_messages
from hf_llm.experiments.frame import Lab, Study, Tables, select
from hf_llm.experiments.tfidf_vs_llm import (
    number_of_labels,
    reasons,
    robustness,
    serving,
    shuffled_labels,
    word_order,
)
from hf_llm.experiments.tfidf_vs_llm.methods import BATCH, CONTEXT, DIGITS, LABELS, METHODS, PROMPT, RATE, TRAINED
from hf_llm.experiments.tfidf_vs_llm.perturbations import KINDS
from hf_llm.experiments.tfidf_vs_llm.training import TEST, base_of, grid_of


def settings(study: Study) -> dict:
    grid, data, base = grid_of(study), read_messages(), base_of(study)
    counts = number_of_labels.few_and_all(pd.DataFrame({"labels": grid.counts}))
    return {
        "data": data.name, "data_sha256": data.sha256, "messages": len(data.messages), "duplicates": data.duplicates,
        "spam": int(data.messages.labels.sum()), "test_fraction": TEST, "test_messages": grid.test, "methods": METHODS,
        "base": base.facts, "parameters": base.facts["parameters"], "pretrained_on": base.facts["text"],
        "steps": {str(count): steps for count, steps in grid.steps}, **counts, "near": number_of_labels.NEAR,
        "rate": RATE, "batch": BATCH, "context": CONTEXT, "prompt": PROMPT, "labels": LABELS,
        "strengths": grid.strengths, "spoilt": grid.spoilt, "shuffled": grid.shuffled, "sentences": grid.sentences,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return what the sentences cite beside a difference: levels in percent, times, and an example of each kind."""
    scores, counts = tables["scores"], number_of_labels.few_and_all(tables["scores"])
    f1 = {f"{method}_{share}": 100 * select(scores, method=method, labels=labels)["f1"].mean()
          for method in (*TRAINED, DIGITS) for share, labels in counts.items()}  # fmt: skip
    few = {method: select(scores, method=method, labels=counts["few"]) for method in (*TRAINED, DIGITS)}
    order = tables["word_order"].groupby("method")["accuracy"].mean().to_dict()
    seconds = select(tables["training_time"], labels=counts["all"]).groupby("method")["seconds"].mean().to_dict()
    latency = tables["latency"].groupby("method")["p50"].mean().to_dict()
    footprint = tables["footprint"].set_index("method")
    zero_shot = select(scores, method="gpt2_zero_shot")
    return {
        **{f"f1_{name}": value for name, value in f1.items()},
        **{f"auc_few_{method}": 100 * rows["auc"].mean() for method, rows in few.items()},
        **{f"order_{method}": value for method, value in order.items()},
        **{f"seconds_{method}": value for method, value in seconds.items()},
        **{f"ms_{method}": value for method, value in latency.items()},
        **{f"{column}_{method}": footprint.loc[method, column]
           for column in ("memory", "disk") for method in footprint.index},
        **{f"{column}_{method}": value for column in ("clean", *KINDS, "recall", "alarms", "auc")
           for method, value in robustness.drops(tables).set_index("method")[column].items()},
        "zero_shot_accuracy": 100 * zero_shot["accuracy"].mean(), "base_rate": 100 * zero_shot["base_rate"].mean(),
        "zero_shot_auc": 100 * zero_shot["auc"].mean(), "chance": word_order.CHANCE,
        "shuffled_auc": 100 * select(tables["shuffled"], shuffled=1)["auc"].mean(),
        "typos": 100 * robustness.middle(tables["spoilt"], "typos"),
        "leetspeak": 100 * robustness.middle(tables["spoilt"], "leetspeak"),
        **{case: float(tables["agreement"][case].mean()) for case in (reasons.ONLY_WORDS, reasons.ONLY_GPT2)},
        **{f"example_{case}": reasons.example(tables, case) for case in (reasons.ONLY_WORDS, reasons.ONLY_GPT2)},
    }  # fmt: skip


LAB = Lab(
    folder="tfidf_vs_llm",
    parts=[number_of_labels, serving, robustness, word_order, reasons, shuffled_labels],
    lecture=["L45"],
    figure="f1",
    shown=[
        "words_level_all", "finetuned_over_words_few", "words_order_as_well_few", "finetuned_over_chars_few",
        "leetspeak_hurt_words_more", "order_triples_know",
    ],
    settings=settings,
    quantities=quantities,
    predictions={
        "a": {"words_level_all": "yes", "training_slower": "yes", "finetuned_over_words_few": "yes"},
        "b": {"words_level_all": "no", "finetuned_over_words_few": "yes"},
        "c": {"finetuned_over_words_few": "no"},
    },
)  # fmt: skip
