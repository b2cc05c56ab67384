"""Tuned: what care does on little text. The Verdict with the regularisation of `configs/gpt2/verdict.yaml`, and longer.

Dropout, input noise and BPE-dropout each slow the learning down, so they need more steps than the common rule gives;
without them, more steps would only teach the story by heart.
"""

import pandas as pd

from hf_llm.experiments.counting_vs_gpt2.network import Recipe, train_network
from hf_llm.experiments.counting_vs_gpt2.pieces import Pieces
from hf_llm.experiments.counting_vs_gpt2.race import SHORT
from hf_llm.experiments.frame import Finding, Study, Tables, above, by_seed
from hf_llm.experiments.shared.language_runs import read_or_sample

RECIPE = {"vocab_size": 1600, "learning_rate": 1.5e-3, "dropout": 0.1, "input_noise": 0.2, "bpe_dropout": 0.2}
STEPS = (24, 304)


def measure(study: Study) -> Tables:
    text, recipe = read_or_sample(SHORT), Recipe(**RECIPE, steps=study.pick(*STEPS))
    rows = []
    for seed in study.track(study.seeds):
        pieces = Pieces.of(text, seed)
        network = train_network(pieces, recipe, seed)
        score = network.bits_per_byte(pieces.test)
        rows.append({"seed": seed, "steps": network.steps, "step": network.step, "gpt2": score})
    return {"tuned": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    tuned = by_seed(tables["tuned"], "gpt2")
    plain, ngrams = (by_seed(tables["scores"], method, text=SHORT) for method in ("gpt2", "ngrams"))
    return [above("lead_tuned", tuned - ngrams), above("tuning_helps", plain - tuned)]
