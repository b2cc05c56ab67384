"""A GPT-2, an LSTM and a GRU language model of equal size: as many layers, as many parameters.

The position table of GPT-2 is not counted: it is looked up, grows with the context, and a recurrent model has none.
"""

from transformers import PreTrainedModel

from hf_llm.models.gpt2 import gpt2_config, new_gpt2, parameter_counts
from hf_llm.models.recurrent import new_recurrent, recurrent_of_size

KINDS = ("gpt2", "lstm", "gru")


def new_contender(kind: str, shape: dict, seed: int, attention: str = "sdpa") -> PreTrainedModel:
    """Return an untrained model without dropout.

    Args:
        kind: One of `KINDS`.
        shape: n_layer, n_head, n_embd, n_positions and vocab_size of the GPT-2; a recurrent model's width follows.
        seed: Of the weights.
        attention: "sdpa", all in one operation, or "eager", product by product.
    """
    config = gpt2_config("nano", **shape, dropout=0.0, attention=attention)
    if kind == "gpt2":
        return new_gpt2(config, seed)
    shared = {name: shape[name] for name in ("vocab_size", "n_layer", "n_positions")}
    return new_recurrent(recurrent_of_size(kind, size_of(shape), **shared, dropout=0.0), seed)


def size_of(shape: dict) -> int:
    """Return the parameters of the GPT-2, without its position table."""
    counts = parameter_counts(gpt2_config("nano", **shape))
    return counts["total"] - counts["position_embedding"]


def parameters_of(model: PreTrainedModel) -> int:
    """Return a model's parameters, without a position table."""
    table = model.transformer.wpe.weight.numel() if model.config.model_type == "gpt2" else 0
    return model.num_parameters() - table
