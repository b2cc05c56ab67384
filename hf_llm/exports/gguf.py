"""GGUF, the one file of llama.cpp, ollama and LM Studio: weights, shape and tokenizer together.

Names and types are those of llama.cpp's own converter: matrices are stored transposed (transformers' GPT-2 has
`Conv1D`), position embeddings, biases and norms stay in fp32, and q8_0, which stores 32 numbers with a common scale,
leaves a matrix whose rows do not divide by 32 in f16.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import json
from pathlib import Path
from typing import Literal

import numpy as np

from hf_llm.config import require, written
from hf_llm.exports.engine import engine_package
from hf_llm.exports.source import Source
from hf_llm.tokenization.pieces import splits_like_gpt2

WEIGHTS = ("f32", "f16", "q8_0")
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # gguf.TokenType
# llama.cpp refuses a file without merges, as a vocabulary of bytes has none; this one never fires: texts begin as bytes
NO_MERGES = ["<|endoftext|> <|endoftext|>"]
TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def require_llama_cpp_has_it(source: Source) -> None:
    """Refuse a GPT-2 that llama.cpp would compute otherwise than transformers, and another tokenizer than GPT-2's."""
    config = source.model.config
    require(
        config.activation_function in ("gelu_new", "gelu_pytorch_tanh")
        and config.scale_attn_weights
        and not config.scale_attn_by_inverse_layer_idx,
        "llama.cpp computes GPT-2 with gelu_new and attention scaled by the head size alone; this model's config.json "
        "asks for something else",
    )
    # it takes a value cache of one number a head for a transposed one, and ends the whole process
    other = f"export it {written('to')} onnx"
    require(config.n_embd > config.n_head, f"llama.cpp cannot compute attention heads of size 1; {other}")
    backend = source.tokenizer.backend_tokenizer
    is_bpe = json.loads(backend.to_str())["model"]["type"] == "BPE"
    require(
        is_bpe and splits_like_gpt2(backend),
        "GGUF files hold a tokenizer like GPT-2's here: byte-level BPE that splits by its regular expression; "
        "this model's is of another kind",
    )


def write_gguf(source: Source, path: Path, weights: Literal["f32", "f16", "q8_0"]) -> None:
    """Write a model and its tokenizer.

    Args:
        source: What `require_llama_cpp_has_it` accepts.
        path: The file.
        weights: How matrices are stored.
    """
    gguf = engine_package("gguf", "gguf")
    config = source.model.config
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_name(source.name)
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_block_count(config.n_layer)
    writer.add_feed_forward_length(config.n_inner or 4 * config.n_embd)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    kinds = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "q8_0": "MOSTLY_Q8_0"}
    writer.add_file_type(gguf.LlamaFileType[kinds[weights]])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_tokenizer(writer, source)
    _add_tensors(writer, source, weights, gguf)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer, source: Source) -> None:
    tokenizer, rows = source.tokenizer, source.model.config.vocab_size
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    added = tokenizer.added_tokens_decoder
    known = {id: token for token, id in tokenizer.get_vocab().items()}
    tokens = [known.get(id, f"[PAD{id}]") for id in range(rows)]  # a model may have spare rows
    kind_of_added = {id: CONTROL if token.special else USER_DEFINED for id, token in added.items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")  # the regular expression that splits a text into words
    writer.add_token_list(tokens)
    writer.add_token_types([kind_of_added.get(id, NORMAL if id in known else UNUSED) for id in range(rows)])
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    writer.add_token_merges(merges or NO_MERGES)
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    if tokenizer.eos_token_id is not None:
        writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(source.begins_documents)


def _add_tensors(writer, source: Source, weights: str, gguf) -> None:
    config = source.model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, config.n_layer)
    for name, tensor in source.model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        array = tensor.numpy()
        array = np.ascontiguousarray(array.T if name.endswith(TRANSPOSED) else array)
        kind = _stored_as(name, array, weights, gguf)
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(stored, gguf.quantize(array, kind), raw_dtype=kind)


def _stored_as(name: str, array: np.ndarray, weights: str, gguf):
    kinds = gguf.GGMLQuantizationType
    if array.ndim == 1 or name == "transformer.wpe.weight" or weights == "f32":
        return kinds.F32
    block = gguf.GGML_QUANT_SIZES[kinds.Q8_0][0]  # 32 numbers
    return kinds.Q8_0 if weights == "q8_0" and array.shape[1] % block == 0 else kinds.F16
