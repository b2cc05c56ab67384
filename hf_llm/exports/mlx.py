"""MLX, Apple's: a folder that mlx-lm loads, with weights under its names and, for matrices, its order."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from hf_llm.config import require
from hf_llm.exports.engine import TIE, Continuation, continue_greedily, engine_package
from hf_llm.exports.source import Source
from hf_llm.runs.atomic import ordinary_mode, write_json

TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")  # transformers' GPT-2 has `Conv1D`


def require_mlx_has_it(source: Source) -> None:
    """Refuse a GPT-2 that mlx-lm would compute otherwise than transformers."""
    config = source.model.config
    require(
        config.activation_function in ("gelu_new", "gelu_pytorch_tanh")
        and config.scale_attn_weights
        and not config.scale_attn_by_inverse_layer_idx
        and config.tie_word_embeddings
        and config.n_inner in (None, 4 * config.n_embd),
        "mlx-lm computes GPT-2 as OpenAI published it: gelu_new, an MLP four times as wide, the output head tied to "
        "the token embedding; this model's config.json asks for something else",
    )


def write_mlx(source: Source, folder: Path) -> None:
    """Write weights and configuration into a folder that holds config.json and the tokenizer already."""
    tensors = {}
    for name, tensor in source.model.state_dict().items():
        if name != "lm_head.weight":
            array = tensor.numpy()
            # mlx-lm takes what begins with "model." as it is, and transposes the rest
            stored = name.replace("transformer.", "model.", 1)
            tensors[stored] = np.ascontiguousarray(array.T if name.endswith(TRANSPOSED) else array)
    save_file(tensors, folder / "model.safetensors", {"format": "mlx"})
    ordinary_mode(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "config.json", {**config, "n_ctx": source.context})  # mlx-lm asks for it under this name


class MLX:
    """A model in mlx-lm; arguments: the folder and what it was made from."""

    precision = TIE

    def __init__(self, folder: Path, source: Source):
        engine_package("mlx.core", "mlx")
        engine_package("mlx_lm", "mlx")
        from mlx_lm.utils import load_model

        self._model, _ = load_model(folder)
        self._source = source

    def continue_text(self, prompt: str, tokens: int) -> Continuation:
        """Continue a prompt greedily."""
        import mlx.core as mx
        from mlx_lm.models.cache import make_prompt_cache

        cache = make_prompt_cache(self._model)

        def step(ids: list[int]) -> np.ndarray:
            return np.array(self._model(mx.array([ids]), cache=cache)[0, -1])

        return continue_greedily(step, self._source.ids(prompt), tokens, self._source.ends)
