"""ONNX, for ONNX Runtime everywhere and transformers.js in a browser: one graph with a key-value cache.

Inputs and outputs have the names by which transformers.js and optimum find them.
"""

import contextlib
import io
from pathlib import Path

import numpy as np
import torch

from hf_llm.config import require, written
from hf_llm.exports.engine import TIE, Continuation, continue_greedily, engine_package
from hf_llm.exports.key_value_graph import quietly, sample_inputs
from hf_llm.exports.source import Source

LARGEST = 2**31 - 2**20  # bytes in one file of protobuf, with room for the graph


def write_onnx(source: Source, path: Path) -> None:
    """Write a model as one file.

    Raises:
        UserError: When the weights do not fit into one.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        engine_package(name, "onnx")
    size = 4 * source.model.num_parameters()
    other = f"export it {written('to')} gguf"
    require(size < LARGEST, f"an ONNX file holds 2 GB, and this model has {size / 1e9:.1f} GB; {other}")
    import onnx_ir
    from transformers.exporters import OnnxConfig, OnnxExporter

    inputs, sizes = sample_inputs(source.model)
    with quietly(), contextlib.redirect_stdout(io.StringIO()):
        graph = OnnxExporter().export(source.model, inputs, OnnxConfig(dynamic=True, dynamic_shapes=sizes)).program
    for value in (*graph.graph.inputs, *graph.graph.outputs):
        value.name = public_name(value.name)
    onnx_ir.save(graph, str(path))


def public_name(name: str) -> str:
    """Return the name that other programs know an input or output by.

    >>> public_name("input.past_key_values.layers.0.keys"), public_name("output.past_key_values.layers.3.values")
    ('past_key_values.0.key', 'present.3.value')
    """
    parts = name.split(".")
    if parts[1:3] != ["past_key_values", "layers"]:
        return name
    return f"{'past_key_values' if parts[0] == 'input' else 'present'}.{parts[3]}.{parts[4].removesuffix('s')}"


class OnnxRuntime:
    """A model in ONNX Runtime; arguments: the file and what it was made from."""

    precision = TIE

    def __init__(self, path: Path, source: Source):
        runtime = engine_package("onnxruntime", "onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._source = source
        config = source.model.config
        self._empty = np.zeros((1, config.n_head, 0, config.n_embd // config.n_head), np.float32)

    def continue_text(self, prompt: str, tokens: int) -> Continuation:
        """Continue a prompt greedily."""
        names = [value.name for value in self._session.get_outputs()]
        past = {name.replace("present", "past_key_values"): self._empty for name in names[1:]}
        seen = 0

        def step(ids: list[int]) -> np.ndarray:
            nonlocal past, seen
            feed = {
                "input_ids": np.array([ids]),
                "attention_mask": np.ones((1, seen + len(ids)), np.int64),
                "position_ids": np.arange(seen, seen + len(ids))[None],
            }
            logits, *present = self._session.run(names, {**feed, **past})
            past, seen = dict(zip(past, present)), seen + len(ids)
            return logits[0, -1]

        return continue_greedily(step, self._source.ids(prompt), tokens, self._source.ends)
