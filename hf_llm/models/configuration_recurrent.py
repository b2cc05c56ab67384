"""The shape of a recurrent language model, in GPT-2's names where both have the thing.

>>> RecurrentConfig(cell="gru").n_embd
128
"""

from typing import ClassVar, Literal

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig


@strict
class RecurrentConfig(PreTrainedConfig):
    """An LSTM or a GRU over token embeddings.

    This file and modeling_recurrent.py are copied into every saved model, where they run without this project: they
    import torch, transformers and each other, nothing else.

    Args:
        cell: lstm (Hochreiter and Schmidhuber 1997) or gru (Cho et al. 2014).
        vocab_size: Number of tokens.
        n_embd: Width of the embeddings and of every layer's state.
        n_layer: Recurrent layers, each reading the states of the one below.
        n_positions: Tokens of a window in training. Nothing in the network bounds what it reads, but nobody taught it
            what comes later: generation and evaluation go by this number.
        dropout: Probability that a unit is dropped in training: of the embeddings, between the layers, and before the
            output head; never along the text (Zaremba et al. 2014).
        tie_word_embeddings: Whether the output head is the token embedding (Press and Wolf 2017).
        bos_token_id: Id of the token that starts a document.
        eos_token_id: Id of the token that ends one.
    """

    model_type = "hf_llm_recurrent"
    attribute_map: ClassVar = {
        "hidden_size": "n_embd", "num_hidden_layers": "n_layer", "max_position_embeddings": "n_positions"
    }  # fmt: skip

    cell: Literal["lstm", "gru"] = "lstm"
    vocab_size: int = 1000
    n_embd: int = 128
    n_layer: int = 2
    n_positions: int = 128
    dropout: float | int = 0.1
    tie_word_embeddings: bool = True
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 0

    def validate_shape(self):
        for name in ("vocab_size", "n_embd", "n_layer", "n_positions"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def validate_dropout(self):
        if not 0 <= self.dropout < 1:  # at 1 nothing would be left; NaN fails both comparisons
            raise ValueError(f"dropout is the share of units that are dropped: at least 0, below 1, not {self.dropout}")


RecurrentConfig.register_for_auto_class()
