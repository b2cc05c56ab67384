"""Where the classes of transformers drop, and with which probability when nobody asks for another.

One forward pass in training mode, on a device without memory, with every call of dropout noted. So models of any size
can be asked, and what is counted is what runs, not what a configuration promises.
"""

import inspect

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.module_tracker import ModuleTracker
from transformers import AutoConfig, AutoModel, PreTrainedModel

from hf_llm.experiments.findings import exact
from hf_llm.experiments.result import Finding, Words

FAMILIES = {  # model type: name, year of its paper
    "openai-gpt": ("GPT", 2018),
    "bert": ("BERT", 2018),
    "gpt2": ("GPT-2", 2019),
    "t5": ("T5", 2019),
    "gpt_neox": ("GPT-NeoX", 2022),
    "llama": ("Llama", 2023),
    "mistral": ("Mistral", 2023),
    "gemma3_text": ("Gemma 3", 2025),
    "qwen3": ("Qwen3", 2025),
}
FIRST_OF_TODAY = 2022  # the families before it are those that the lecture names
PLACES = ("embedding", "attention", "projection", "inside", "feed_forward")
NAMED = ("projection", "inside", "feed_forward")  # "in the feed-forward layers and at the end of the attention heads"
ELSEWHERE = "elsewhere"
OWNERS = {  # class and attribute of a dropout: its place; attention weights are known by their shape
    "OpenAIGPTModel.drop": "embedding",
    "Attention.resid_dropout": "projection",
    "MLP.dropout": "feed_forward",
    "GPT2Model.drop": "embedding",
    "GPT2Attention.resid_dropout": "projection",
    "GPT2MLP.dropout": "feed_forward",
    "BertEmbeddings.dropout": "embedding",
    "BertSelfOutput.dropout": "projection",
    "BertOutput.dropout": "feed_forward",
    "T5Stack.dropout": "embedding",
    "T5LayerSelfAttention.dropout": "projection",
    "T5LayerCrossAttention.dropout": "projection",
    "T5DenseActDense.dropout": "inside",
    "T5LayerFF.dropout": "feed_forward",
    "GPTNeoXModel.emb_dropout": "embedding",
    "GPTNeoXLayer.post_attention_dropout": "projection",
    "GPTNeoXLayer.post_mlp_dropout": "feed_forward",
}
TOKENS = 7  # a length that is no model's width


class NoteDropout(TorchFunctionMode):
    """Note, for every dropout inside the block, which module asks for it, the shape of its input, and p."""

    def __init__(self):
        super().__init__()
        self.tracker, self.calls = ModuleTracker(), []

    def __enter__(self):
        self.tracker.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.tracker.__exit__(*error)

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
        with NoteDropout() as noted:
            model(input_ids=ids, **inputs)
    return [(_place(model, path, shape), p) for path, shape, p in noted.calls]


def _place(model: PreTrainedModel, path: str, shape: torch.Size) -> str:
    if shape[-2:] == (TOKENS, TOKENS):
        return "attention"
    owner, _, attribute = path.partition(".")[2].rpartition(".")  # the path begins with the model's class
    return OWNERS.get(f"{type(model.get_submodule(owner)).__name__}.{attribute}", ELSEWHERE)


def library_rows() -> list[dict]:
    """Return for each family its default probability by place, None where it has none, and a count.

    `active` is how many dropouts of one pass have a probability above zero; `named`, which share of them lies where
    the lecture says, None where there are none.
    """
    rows = []
    for model_type, (name, year) in FAMILIES.items():
        met = dropouts(model_type)
        active = [place for place, p in met if p > 0]
        default = dict(met)
        rows.append({
            "family": name, "year": str(year), **{place: default.get(place) for place in (*PLACES, ELSEWHERE)},
            "active": len(active),
            "named": sum(place in NAMED for place in active) / len(active) if active else None,
        })  # fmt: skip
    return rows


def library_findings(rows: list[dict]) -> list[Finding]:
    """Return what the lecture's claim about places is worth in the classes of transformers."""
    classic = [row for row in rows if int(row["year"]) < FIRST_OF_TODAY]
    today = [row for row in rows if int(row["year"]) >= FIRST_OF_TODAY]
    named = min(row["named"] for row in classic)
    elsewhere = sum(bool(row[place]) for row in classic for place in ("embedding", "attention"))
    active = sum(row["active"] > 0 for row in today)
    return [
        exact(
            (
                Words(
                    pt="Nas famílias que a aula cita, a maior parte dos dropouts fica onde ela diz",
                    en="In the families that the lecture names, most dropouts are where it says",
                ),
                Words(pt="parte deles, a menor das famílias", en="share of them, least of the families"),
            ),
            named, named > 0.5,
        ),
        exact(
            (
                Words(
                    pt="Nas famílias que a aula cita, só ali há dropout",
                    en="In the families that the lecture names, there is dropout nowhere else",
                ),
                Words(
                    pt="outros tipos de lugar com dropout, somadas as famílias",
                    en="other kinds of place with dropout, all families together",
                ),
            ),
            elsewhere, elsewhere == 0,
        ),
        exact(
            (
                Words(
                    pt="GPT-NeoX, Llama, Mistral, Gemma e Qwen usam dropout se ninguém escolhe",
                    en="GPT-NeoX, Llama, Mistral, Gemma and Qwen use dropout when nobody chooses",
                ),
                Words(pt="quantas dessas famílias", en="how many of these families"),
            ),
            active, active == len(today),
        ),
    ]  # fmt: skip
