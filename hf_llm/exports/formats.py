"""The four formats side by side: what each can hold, how it is written, and the engine that reads it."""

from importlib.metadata import version
from pathlib import Path

from hf_llm.exports.config import Format
from hf_llm.exports.engine import Engine, engine_package
from hf_llm.exports.gguf import WEIGHTS, require_llama_cpp_has_it, write_gguf
from hf_llm.exports.llama_cpp import LlamaCpp
from hf_llm.exports.mlx import MLX, require_mlx_has_it, write_mlx
from hf_llm.exports.onnx import OnnxRuntime, write_onnx
from hf_llm.exports.openvino import OpenVINO, openvino_package, write_openvino
from hf_llm.exports.source import Source

PACKAGES = {  # {module: package}; an extra of the format's name brings them
    "gguf": {"gguf": "gguf", "xllamacpp": "xllamacpp"},
    "onnx": {"onnx": "onnx", "onnxscript": "onnxscript", "onnxruntime": "onnxruntime"},
    "openvino": {"openvino": "openvino"},
    "mlx": {"mlx.core": "mlx", "mlx_lm": "mlx-lm"},
}


def require_packages(to: Format) -> dict[str, str]:
    """Return {package: version} of what writes and reads a format.

    Raises:
        UserError: When one is missing; says how to get it.
    """
    for module in PACKAGES[to]:
        if to == "openvino":
            openvino_package()
        else:
            engine_package(module, to)
    return {package: version(package) for package in PACKAGES[to].values()}


def require_room(to: Format, source: Source) -> None:
    """Raise a `UserError` when a format's program would compute the model otherwise than transformers."""
    if to == "gguf":
        require_llama_cpp_has_it(source)
    elif to == "mlx":
        require_mlx_has_it(source)


def write(to: Format, source: Source, folder: Path) -> None:
    """Write what a format consists of into an empty folder; of GGUF a file for each kind of weights."""
    if to == "gguf":
        for weights in WEIGHTS:
            write_gguf(source, folder / gguf_name(weights), weights)
        return
    for part in (source.model.config, source.model.generation_config, source.tokenizer):
        part.save_pretrained(folder)
    if to == "onnx":
        write_onnx(source, folder / "model.onnx")
    elif to == "openvino":
        write_openvino(source, folder / "openvino_model.xml")
    else:
        write_mlx(source, folder)


def start(to: Format, source: Source, folder: Path) -> Engine:
    """Load the fp32 model in a folder into its program."""
    if to == "gguf":
        return LlamaCpp(folder / gguf_name("f32"), source.context, cache="f32")
    if to == "onnx":
        return OnnxRuntime(folder / "model.onnx", source)
    if to == "openvino":
        return OpenVINO(folder / "openvino_model.xml", source)
    return MLX(folder, source)


def gguf_name(weights: str) -> str:
    """Return the file of a kind of weights; ollama and the Hub read the kind from the name."""
    return f"model-{weights}.gguf"
