"""Where a GPT-2 drops, and how each place gets a probability of its own.

`GPT2Config` has three probabilities for four kinds of place: `resid_pdrop` sets both what follows the attention and
what ends the feed-forward part. Only on the built model can the two be told apart.

>>> [len(places(new_gpt2(gpt2_config("nano"), seed=0), site)) for site in SITES]
[1, 2, 2, 2]
"""

from collections.abc import Iterable

from torch import nn
from transformers import GPT2LMHeadModel

from hf_llm.models.gpt2 import gpt2_config, new_gpt2

SITES = {  # site: how its modules are called in transformers' GPT-2
    "embedding": "transformer.drop",
    "attention": "attn.attn_dropout",
    "projection": "attn.resid_dropout",
    "feed_forward": "mlp.dropout",
}
NAMED = ("projection", "feed_forward")  # the two of which the lecture speaks
SETTINGS = {  # setting: the sites that drop in it
    **{site: (site,) for site in SITES},
    "named": NAMED,
    "others": tuple(site for site in SITES if site not in NAMED),
    "all": tuple(SITES),
}


def places(model: GPT2LMHeadModel, site: str) -> list[nn.Dropout]:
    """Return the modules of one site: one for the embedding, one a block for the others."""
    return [module for name, module in model.named_modules() if name.endswith(SITES[site])]


def set_dropout(model: GPT2LMHeadModel, sites: Iterable[str], p: float) -> None:
    """Let `sites` drop with probability `p`, and all other places not at all.

    Attention reads its probability from `attn_dropout.p`, although it never calls that module.
    """
    for site in SITES:
        for module in places(model, site):
            module.p = p if site in sites else 0.0


def dropping_gpt2(shape: dict, setting: str, p: float, seed: int) -> GPT2LMHeadModel:
    """Return an untrained GPT-2 that drops as `setting` says; the same seed gives the same weights in any setting.

    Args:
        shape: Arguments of `gpt2_config`.
        setting: A name of `SETTINGS`.
        p: Probability; 0 drops nothing.
        seed: Seed of the weights.
    """
    # eager attention shows its weights after dropout; fused attention would keep them to itself
    model = new_gpt2(gpt2_config(**shape, dropout=0.0, attention="eager"), seed)
    set_dropout(model, SETTINGS[setting], p)
    return model
