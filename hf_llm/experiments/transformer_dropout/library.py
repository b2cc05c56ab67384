"""Where the classes of transformers drop, and with which probability when nobody asks for another.

One forward pass in training mode, on a device without memory, with every call of dropout noted. So models of any size
can be asked, and what is counted is what runs, not what a configuration promises.
"""

import inspect

import pandas as pd
import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.module_tracker import ModuleTracker
from transformers import AutoConfig, AutoModel, PreTrainedModel

from hf_llm.experiments.frame import Finding, Study, Tables, exact

FAMILIES = {  # model type: year of its paper
    "openai-gpt": 2018, "bert": 2018, "gpt2": 2019, "t5": 2019,
    "gpt_neox": 2022, "llama": 2023, "mistral": 2023, "gemma3_text": 2025, "qwen3": 2025,
}  # fmt: skip
FIRST_OF_TODAY = 2022  # the families before it are those that the lecture names
PLACES = ("embedding", "attention", "projection", "inside", "feed_forward")
# "in the feed-forward layers and at the end of the attention heads", by what that end is taken for
READINGS = {end: (end, "inside", "feed_forward") for end in ("projection", "attention")}
MOST = 0.5
ELSEWHERE = "elsewhere"
OWNERS = {  # place: class and attribute of the dropouts there; those of attention weights are known by their shape
    "embedding": ["OpenAIGPTModel.drop", "GPT2Model.drop", "BertEmbeddings.dropout", "T5Stack.dropout",
                  "GPTNeoXModel.emb_dropout"],
    "projection": ["Attention.resid_dropout", "GPT2Attention.resid_dropout", "BertSelfOutput.dropout",
                   "T5LayerSelfAttention.dropout", "T5LayerCrossAttention.dropout",
                   "GPTNeoXLayer.post_attention_dropout"],
    "inside": ["T5DenseActDense.dropout"],
    "feed_forward": ["MLP.dropout", "GPT2MLP.dropout", "BertOutput.dropout", "T5LayerFF.dropout",
                     "GPTNeoXLayer.post_mlp_dropout"],
}  # fmt: skip
TOKENS = 7  # a length that is no model's width


class NoteDropout(TorchFunctionMode):
    """Note, for every dropout inside the block, which module asks for it, the shape of its input, and p."""

    def __init__(self, tracker: ModuleTracker):
        super().__init__()
        self.tracker, self.calls = tracker, []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is F.dropout:
            call = inspect.signature(F.dropout).bind(*args, **(kwargs or {})).arguments
            deepest = max(self.tracker.parents, key=lambda name: name.count("."))
            self.calls.append((deepest, call["input"].shape, call["p"]))
        return function(*args, **(kwargs or {}))


def dropouts(model_type: str) -> list[tuple[str, float]]:
    """Return place and default probability of every dropout that one pass through a model of this type meets.

    >>> dropouts("llama")[:2]
    [('attention', 0.0), ('attention', 0.0)]
    """
    with torch.device("meta"):
        # fused attention would take its dropout along into one operation
        model = AutoModel.from_config(AutoConfig.for_model(model_type), attn_implementation="eager").train()
        ids = torch.zeros(1, TOKENS, dtype=torch.long)
        inputs = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
        with ModuleTracker() as tracker, NoteDropout(tracker) as noted:
            model(input_ids=ids, **inputs)
    return [(_place(model, path, shape), p) for path, shape, p in noted.calls]


def _place(model: PreTrainedModel, path: str, shape: torch.Size) -> str:
    if shape[-2:] == (TOKENS, TOKENS):
        return "attention"
    owner, _, attribute = path.partition(".")[2].rpartition(".")  # the path begins with the model's class
    name = f"{type(model.get_submodule(owner)).__name__}.{attribute}"
    return next((place for place, names in OWNERS.items() if name in names), ELSEWHERE)


def measure(study: Study) -> Tables:
    """Return for each family its default probability by place, missing where it has no such place, and a count.

    `active` is how many dropouts of one pass have a probability above zero; `lecture_<reading>`, which fraction of
    them lies where the lecture says, missing where there are none.
    """
    rows = []
    for model_type, year in study.track(FAMILIES.items()):
        met = dropouts(model_type)
        active, default = [place for place, p in met if p > 0], dict(met)
        rows.append({
            "family": model_type, "year": year, **{place: default.get(place) for place in (*PLACES, ELSEWHERE)},
            "active": len(active),
            **{f"lecture_{end}": sum(place in places for place in active) / len(active) if active else None
               for end, places in READINGS.items()},
        })  # fmt: skip
    return {"library": pd.DataFrame(rows).astype({place: float for place in (*PLACES, ELSEWHERE)})}


def findings(tables: Tables) -> list[Finding]:
    """Return what the lecture's claim about places is worth in the classes of transformers, under both readings."""
    table = tables["library"]
    classic, today = table[table["year"] < FIRST_OF_TODAY], table[table["year"] >= FIRST_OF_TODAY]
    others = [int((classic[list(set(PLACES) - set(places))] > 0).sum().sum()) for places in READINGS.values()]
    return [
        *(exact(f"mostly_lecture_{end}", classic[f"lecture_{end}"].min(), MOST) for end in READINGS),
        exact("nowhere_else", min(others), 0.0, side="within"),
        exact("today_without", int((today["active"] > 0).sum()), 0.0, side="within"),
    ]


def summary(tables: Tables) -> pd.DataFrame:
    """Return what the report shows: without years, whose digits it would group, and places that no family has."""
    table = tables["library"].drop(columns=["year", ELSEWHERE]).astype(object)
    return table.where(table.notna(), None)


SUMMARIES = {"library": summary}
