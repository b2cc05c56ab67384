"""Settings of hf-llm export. No heavy import, so that `--help` answers at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hf_llm.config import setting

Format = Literal["gguf", "onnx", "openvino", "mlx"]


@dataclass
class ExportConfig:
    """A run, and what to make of it."""

    run: str = setting(..., "folder of a finished run, any GPT-2's folder, or a Hub id", positional=True)
    to: Format = setting(
        ...,
        "gguf: llama.cpp, ollama, LM Studio; onnx: ONNX Runtime, transformers.js; openvino: Intel's processors; "
        "mlx: Apple's",
    )
    output_dir: str | None = setting(
        None, "folder to make; default: RUN/gguf and so on, where `hf-llm hub push --export` looks for it"
    )

    @property
    def folder(self) -> Path:
        """Where the export will be."""
        return Path(self.output_dir or Path(self.run) / self.to)
