"""Which activation the feed-forward layers of Transformers have when nobody chooses one.

Read off the default configuration of the families in the transformers library. "They use GELU" is judged as
`architectures` judges "CNNs use ReLU": by whether most of the families do.
"""

import pandas as pd
from transformers import AutoConfig

from hf_llm.experiments.frame import Finding, Study, Tables, exact, select

# families, by their name in the library, and where the configuration keeps the activation
FAMILIES = {
    "openai-gpt": "afn", "gpt2": "activation_function", "bert": "hidden_act", "roberta": "hidden_act",
    "bart": "activation_function", "vit": "hidden_act", "t5": "dense_act_fn", "llama": "hidden_act",
    "mistral": "hidden_act",
}  # fmt: skip
NAMED_BY_THE_LECTURE = ["bert", "openai-gpt", "gpt2"]
MAJORITY = 0.5


def measure(study: Study) -> Tables:
    """Read the activation of each family; "gelu_new" is GELU in GPT-2's approximation by tanh."""
    rows = []
    for family, key in FAMILIES.items():
        config = AutoConfig.for_model(family)
        used = getattr(config, key)
        rows.append({"family": family, "class": type(config).__name__, "default": used, "gelu": int("gelu" in used)})
    return {"families": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    table = tables["families"]
    named = select(table, family=NAMED_BY_THE_LECTURE)
    return [
        exact("most_use_gelu", table["gelu"].mean(), MAJORITY),
        exact("named_use_gelu", 1 - named["gelu"].mean(), 0.0, "within"),
    ]


def quantities(tables: Tables) -> dict:
    """Return how many families there are, and which of them use what else: "T5 (relu)"."""
    table = tables["families"]
    others = table[table["gelu"] == 0]
    named = [f"{name.removesuffix('Config')} ({used})" for name, used in zip(others["class"], others["default"])]
    return {"families": len(table), "other_families": ", ".join(named) or "–"}
