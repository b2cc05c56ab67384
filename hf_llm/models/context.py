"""How many tokens a causal language model reads at once, whatever its configuration calls that.

Nearly all configurations of transformers know it as max_position_embeddings, also where they write n_positions, n_ctx
or context_length themselves: their `attribute_map` says so. The others are named here. Nothing bounds a state space or
ALiBi; rotary positions go on, but the model has learned nothing about those behind its number.
"""

from torch import nn
from transformers import PreTrainedModel

# of most models; of MPT and DBRX; of Whisper; of Bloom, which ALiBi does not bound, but this was its training
NAMES = ("max_position_embeddings", "max_seq_len", "max_target_positions", "seq_length")


def context_length(model: PreTrainedModel) -> int | None:
    """Return how many tokens the model reads at once, or None where nothing bounds it."""
    config = model.config.get_text_config(decoder=True)
    found = (_value(config, name) for name in NAMES)
    return next((value - _kept_for_padding(model) for value in found if value is not None), None)


def _value(config, name: str) -> int | None:
    try:
        value = getattr(config, name, None)
    except NotImplementedError:  # XLNet's way to say that nothing bounds it
        return None
    return value if isinstance(value, int) and value > 0 else None


def _kept_for_padding(model: PreTrainedModel) -> int:
    """Return how many rows at the start of the position embeddings no token of a text uses.

    RoBERTa and its relatives count positions from padding_idx + 1 on: 514 rows are for 512 tokens.
    """
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding) and module.padding_idx is not None:
            return module.padding_idx + 1
    return 0
