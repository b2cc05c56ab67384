"""A recurrent language model as a Hugging Face model: it reads one token after the other and keeps a state.

    input_ids (B, T) → embedding (B, T, n_embd) → LSTM or GRU, n_layer deep, step by step along T → output head

>>> model = RecurrentForCausalLM(RecurrentConfig(vocab_size=50))
>>> model(input_ids=torch.zeros(2, 7, dtype=torch.long)).logits.shape
torch.Size([2, 7, 50])
"""

from typing import ClassVar

import torch
from torch import nn
from transformers import GenerationMixin, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import CausalLMOutputWithPast

from .configuration_recurrent import RecurrentConfig

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentForCausalLM(PreTrainedModel, GenerationMixin):
    """`past_key_values`, as transformers calls what it hands from step to step, is here the state after the last token.

    It is a tuple of tensors (n_layer, B, n_embd), one of a GRU, two of an LSTM, and it does not grow with the text.
    """

    config_class = RecurrentConfig
    base_model_prefix = "recurrent"
    main_input_name = "input_ids"
    input_modalities = ("text",)
    _tied_weights_keys: ClassVar = {"lm_head.weight": "embedding.weight"}
    _is_stateful = True  # a state cannot be cut back to an earlier token

    def __init__(self, config: RecurrentConfig):
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.dropout = nn.Dropout(config.dropout)
        between = config.dropout if config.n_layer > 1 else 0.0  # torch warns where there is no layer above
        self.recurrent = CELLS[config.cell](
            config.n_embd, config.n_embd, config.n_layer, batch_first=True, dropout=between
        )
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def set_input_embeddings(self, embedding: nn.Embedding) -> None:
        self.embedding = embedding

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        """Draw matrices uniformly within 1/√n_embd, as torch does, embeddings within 0.5.

        Within 0.1, as Zaremba et al. 2014 have it, cells hardly see the token at first: an LSTM of 111,000 parameters
        then had not learnt in 600 steps to let a verb agree with a subject some words before it, and with 0.5 in 300.
        Biases are zero but for the LSTM's forget gate, which starts open, at 1 (Jozefowicz et al. 2015).
        """
        width = self.config.n_embd
        if isinstance(module, nn.Embedding):
            init.uniform_(module.weight, -0.5, 0.5)
        elif isinstance(module, nn.Linear):  # an output head that is not tied
            init.uniform_(module.weight, -(width**-0.5), width**-0.5)
        elif isinstance(module, nn.RNNBase):
            for name, parameter in module.named_parameters():
                if name.startswith("weight"):
                    init.uniform_(parameter, -(width**-0.5), width**-0.5)
                    continue
                bias = torch.zeros_like(parameter)
                if isinstance(module, nn.LSTM) and name.startswith("bias_ih"):
                    bias[width : 2 * width] = 1  # gates come in the order input, forget, cell, output
                init.copy_(parameter, bias)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: tuple[torch.Tensor, ...] | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int = 0,
        return_dict: bool | None = None,
        **kwargs,
    ) -> CausalLMOutputWithPast | tuple[torch.Tensor, ...]:
        """Predict the next token after each position.

        Args:
            input_ids: (B, T), int64.
            attention_mask: (B, T) or longer; 0 marks padding, which must stand behind the text, where it is not read.
            past_key_values: The state after the text before; None at the start of a text.
            labels: (B, T), as a rule `input_ids`: shifted here. Positions of -100 do not count.
            use_cache: Whether to return the state. Default: yes, except in training.
            logits_to_keep: Only the last so many positions get logits; 0 for all.
            return_dict: False for a plain tuple, without what is None.
            kwargs: Of the loss: `shift_labels` (B, T), labels that are shifted already, and `num_items_in_batch`, the
                tokens of the whole optimizer step. With it the loss is the sum divided by it, so that accumulated
                gradients are those of one big batch.

        Returns:
            `loss` (with labels), `logits` (B, T or `logits_to_keep`, vocab_size) and `past_key_values`.

        Raises:
            ValueError: When a text is padded on the left: the state would have read the padding.
        """
        if attention_mask is not None and not attention_mask[:, 0].all():
            raise ValueError("a recurrent model reads padding on the left like text; pad on the right")
        if use_cache is None:
            use_cache = not self.training
        if return_dict is None:
            return_dict = self.config.return_dict

        state = past_key_values
        if state is not None and self.config.cell == "gru":
            (state,) = state  # torch's GRU takes its one tensor bare
        hidden = self.dropout(self.embedding(input_ids))  # (B, T, n_embd)
        hidden, state = self.recurrent(hidden, state)  # (B, T, n_embd): the top layer's state after each token
        logits = self.lm_head(self.dropout(hidden[:, -logits_to_keep:]))  # 0 keeps all: [-0:] is the whole
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)

        state = state if isinstance(state, tuple) else (state,)
        output = CausalLMOutputWithPast(loss=loss, logits=logits, past_key_values=state if use_cache else None)
        return output if return_dict else output.to_tuple()

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        """`generate` makes no cache of keys and values for this model, whose forward returns its state."""
        return False

    @staticmethod
    def _reorder_cache(past_key_values: tuple[torch.Tensor, ...], beam_idx: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the states of the beams that beam search keeps."""
        return tuple(state.index_select(1, beam_idx.to(state.device)) for state in past_key_values)


RecurrentForCausalLM.register_for_auto_class("AutoModelForCausalLM")
