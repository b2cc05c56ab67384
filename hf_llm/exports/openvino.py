"""OpenVINO, Intel's format: a graph (.xml) and its weights (.bin), which keeps the key-value cache as its state."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from hf_llm.exports.engine import TIE, Continuation, continue_greedily, engine_package
from hf_llm.exports.key_value_graph import quietly, sample_inputs
from hf_llm.exports.source import Source

# one thread of numbers in one order: the same model as in fp32 elsewhere
COMPUTE = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}


def openvino_package() -> ModuleType:
    """Import OpenVINO without the package through which it reports its use to its maker: this project sends nothing."""
    sys.modules.setdefault("openvino_telemetry", None)  # OpenVINO then takes a stub of its own
    return engine_package("openvino", "openvino")


def write_openvino(source: Source, path: Path) -> None:
    """Write a model.

    Args:
        source: The model.
        path: The .xml file; the weights lie beside it.
    """
    openvino = openvino_package()
    from transformers.exporters import OpenVINOConfig, OpenVINOExporter

    inputs, sizes = sample_inputs(source.model)
    with quietly():
        settings = OpenVINOConfig(dynamic=True, dynamic_shapes=sizes)
        graph = OpenVINOExporter().export(source.model, inputs, settings).program
    openvino.save_model(graph, str(path), compress_to_fp16=False)


class OpenVINO:
    """A model in OpenVINO; arguments: the .xml file and what it was made from."""

    precision = TIE

    def __init__(self, path: Path, source: Source):
        openvino = openvino_package()
        settings = {**COMPUTE, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        self._request = openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()
        self._source = source

    def continue_text(self, prompt: str, tokens: int) -> Continuation:
        """Continue a prompt greedily."""
        self._request.reset_state()
        seen = 0

        def step(ids: list[int]) -> np.ndarray:
            nonlocal seen
            seen += len(ids)
            outputs = self._request.infer(
                {
                    "input_ids": np.array([ids]),
                    "attention_mask": np.ones((1, seen), np.int64),
                    "position_ids": np.arange(seen - len(ids), seen)[None],
                    "beam_idx": np.zeros(1, np.int32),
                }
            )
            return outputs["logits"][0, -1]

        return continue_greedily(step, self._source.ids(prompt), tokens, self._source.ends)
