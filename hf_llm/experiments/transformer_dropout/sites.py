"""Where a GPT-2 drops, and how each site gets a probability of its own.

`GPT2Config` has three probabilities for four kinds of site: `resid_pdrop` sets both what follows the attention and
what ends the feed-forward part. Only on the built model can the two be told apart.

>>> [len(modules_at(new_gpt2(gpt2_config("nano"), seed=0), site)) for site in SITES]
[1, 2, 2, 2]
"""

from torch import nn
from transformers import GPT2LMHeadModel

from hf_llm.models.gpt2 import gpt2_config, new_gpt2

SITES = {  # site: how its modules are called in transformers' GPT-2
    "embedding": "transformer.drop",
    "attention": "attn.attn_dropout",
    "projection": "attn.resid_dropout",
    "feed_forward": "mlp.dropout",
}
# "in the feed-forward layers and at the end of the attention heads": that end can be what follows the heads' common
# projection, or the dropout inside each head, on its attention weights
READINGS = ("projection", "attention")
SETTINGS = {  # setting: the sites that drop in it
    **{site: (site,) for site in SITES},
    **{f"lecture_{end}": (end, "feed_forward") for end in READINGS},
    **{f"rest_{end}": tuple(site for site in SITES if site not in (end, "feed_forward")) for end in READINGS},
    "all": tuple(SITES),
}


def modules_at(model: GPT2LMHeadModel, site: str) -> list[nn.Dropout]:
    """Return the modules of one site: one for the embedding, one per block for the others."""
    return [module for name, module in model.named_modules() if name.endswith(SITES[site])]


def dropping_gpt2(shape: dict, setting: str, p: float, seed: int) -> GPT2LMHeadModel:
    """Return an untrained GPT-2 that drops with probability p as `setting` says, a name of `SETTINGS` or "none".

    `shape` are arguments of `gpt2_config`. The same seed gives the same weights in any setting.
    """
    # eager attention shows its weights after dropout; fused attention would keep them to itself
    model = new_gpt2(gpt2_config(**shape, dropout=0.0, attention="eager"), seed)
    for site in SETTINGS.get(setting, ()):
        for module in modules_at(model, site):  # attention reads its p from `attn_dropout`, although it never calls it
            module.p = p
    return model
