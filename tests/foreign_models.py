"""Tiny models of other families, with random weights: what a student may find on the Hub beside GPT-2."""

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedModel

CONTEXT = 20  # tokens that each of them reads, if anything bounds it
_BERT = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "is_decoder": True,
    "max_position_embeddings": CONTEXT,
}  # fmt: skip
_LLAMA = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
    "intermediate_size": 16, "max_position_embeddings": CONTEXT, "head_dim": 8,
}  # fmt: skip
_ROBERTA = {**_BERT, "max_position_embeddings": CONTEXT + 2, "pad_token_id": 1}
FAMILIES = {
    "gpt2": {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": CONTEXT},
    "openai-gpt": {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": CONTEXT},
    "ctrl": {"n_embd": 16, "n_layer": 1, "n_head": 2, "dff": 16, "n_positions": CONTEXT},
    "gptj": {"n_embd": 16, "n_layer": 1, "n_head": 2, "rotary_dim": 4, "n_positions": CONTEXT},
    "opt": {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 16, "word_embed_proj_dim": 16,
        "max_position_embeddings": CONTEXT,
    },
    "bart": {
        "d_model": 16, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16,
        "max_position_embeddings": CONTEXT,
    },
    "mpt": {"d_model": 16, "n_layers": 1, "n_heads": 2, "max_seq_len": CONTEXT},
    "bloom": {"hidden_size": 16, "n_layer": 1, "n_head": 2, "seq_length": CONTEXT},
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "llama": _LLAMA,
    "gemma2": {**_LLAMA, "sliding_window": 8},  # squashes its logits behind the output head
    "mixtral": {**_LLAMA, "num_local_experts": 2},
    "trocr": {  # does not know logits_to_keep
        "d_model": 16, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16,
        "max_position_embeddings": CONTEXT, "cross_attention_hidden_size": 16,
    },
    "mamba": {"hidden_size": 16, "num_hidden_layers": 1, "state_size": 4},
    "hf_llm_recurrent": {"n_embd": 16, "n_layer": 1, "n_positions": CONTEXT},
}  # fmt: skip
UNBOUNDED = ("mamba",)


def foreign_model(family: str, vocab_size: int = 300, **changes) -> PreTrainedModel:
    """Return a model of random weights, in evaluation mode."""
    config = CONFIG_MAPPING[family](
        vocab_size=vocab_size,
        **{"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0, **FAMILIES[family], **changes},
    )
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()
