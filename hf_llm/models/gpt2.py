"""GPT-2 by transformers: a configuration of any size, a model with seeded weights, and where its parameters are.

>>> config = gpt2_config("micro", vocab_size=500, dropout=0.2)
>>> model = new_gpt2(config, seed=0)
>>> parameter_counts(config)["total"] == model.num_parameters()
True
"""

import copy

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from hf_llm.config import require
from hf_llm.models.sizes import size_named


def gpt2_config(
    size: str = "small",
    vocab_size: int | None = None,
    n_positions: int | None = None,
    n_layer: int | None = None,
    n_head: int | None = None,
    n_embd: int | None = None,
    dropout: float = 0.1,
    bos_token_id: int | None = None,
    attention: str = "sdpa",
    initializer_range: float | None = None,
) -> GPT2Config:
    """Return the configuration of a named size; what is given beside the name replaces the size's own value.

    Args:
        size: A name of `hf_llm.models.sizes.SIZES`.
        vocab_size: Number of tokens of the tokenizer.
        n_positions: Context length in tokens.
        n_layer: Number of transformer blocks.
        n_head: Attention heads in a block.
        n_embd: Width of the residual stream.
        dropout: Probability of all three dropouts: of embeddings, attention weights and residual branches.
        bos_token_id: Id of the one special token, which is bos and eos. Default: the size's own, or 0 beside another
            `vocab_size`, where this project's tokenizers have it. It pads only in `new_gpt2`'s generation config:
            with a pad id in the model's own, transformers takes each document's first token for padding, and warns.
        attention: How transformers computes attention: `sdpa` (fused) or `eager` (can return its weights).
        initializer_range: Standard deviation of the initial weights. Default: GPT-2's 0.02, which suits a width of 768.

    Raises:
        UserError: For an unknown size or a value that no GPT-2 can have.
    """
    named = size_named(size)
    if bos_token_id is None:
        bos_token_id = named.bos_token_id if vocab_size in (None, named.vocab_size) else 0
    shape = {
        name: getattr(named, name) if value is None else value
        for name, value in {
            "n_layer": n_layer,
            "n_head": n_head,
            "n_embd": n_embd,
            "n_positions": n_positions,
            "vocab_size": vocab_size,
        }.items()
    }
    for name, value in shape.items():
        least = 2 if name == "n_positions" else 1  # one token alone has no next one to be predicted
        require(value >= least, f"{name} must be at least {least}, not {value}")
    heads, width = shape["n_head"], shape["n_embd"]
    require(
        width % heads == 0,
        f"n_embd {width} does not divide into {heads} heads of equal width; "
        f"the nearest n_embd that does is {max(1, round(width / heads)) * heads}",
    )
    require(0 <= dropout < 1, f"dropout must be at least 0 and below 1, not {dropout}")
    last = shape["vocab_size"] - 1
    require(0 <= bos_token_id <= last, f"bos_token_id {bos_token_id} is no token: the vocabulary ends at id {last}")
    require(attention in ("sdpa", "eager"), f"attention must be sdpa or eager, not {attention!r}")
    return GPT2Config(
        **shape,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
        resid_pdrop=dropout,
        bos_token_id=bos_token_id,
        eos_token_id=bos_token_id,
        attn_implementation=attention,
        initializer_range=initializer_range or 0.02,
    )


def new_gpt2(config: GPT2Config, seed: int, device: str | torch.device = "cpu") -> GPT2LMHeadModel:
    """Return an untrained GPT-2 in training mode, in fp32.

    The weights depend on `config` and `seed` alone: they are always drawn on the CPU, and the global random state is
    left as it was. Radford et al. 2019: normal with deviation 0.02 (`initializer_range`), divided by √(2·n_layer)
    where a block writes into the residual stream.

    Args:
        config: As `gpt2_config` returns it. The model gets a copy, since transformers writes into a model's config.
        seed: Seed of the weights.
        device: Where the model goes. On `meta` it has shapes but no weights, and costs no memory.
    """
    device = torch.device(device)
    with torch.random.fork_rng(devices=[]), torch.device("meta" if device.type == "meta" else "cpu"):
        torch.default_generator.manual_seed(seed)
        model = GPT2LMHeadModel(copy.deepcopy(config))
    model.loss_type = "ForCausalLM"  # transformers guesses it from the class name, fails for this one, and warns
    model.generation_config.pad_token_id = config.bos_token_id
    return model.to(device)


def parameter_counts(config: GPT2Config) -> dict[str, int]:
    """Return the number of parameters by part, from the configuration alone.

    `output_head` is 0 where it is tied to the token embedding, as in GPT-2 (Press and Wolf 2017).

    >>> parameter_counts(gpt2_config("small"))["total"]
    124439808
    """
    layers, width = config.n_layer, config.n_embd
    inner = config.n_inner or 4 * width
    counts = {
        "token_embedding": config.vocab_size * width,
        "position_embedding": config.n_positions * width,
        "attention": layers * ((width + 1) * 3 * width + (width + 1) * width),  # q, k, v; projection; each with bias
        "mlp": layers * ((width + 1) * inner + (inner + 1) * width),
        "layer_norms": (2 * layers + 1) * 2 * width,  # two a block and the final one, each a scale and a shift
        "output_head": 0 if config.tie_word_embeddings else config.vocab_size * width,
    }
    return {**counts, "total": sum(counts.values())}
