"""transformers.js in Node: the engine of a browser, which reads the ONNX export with a tokenizer of its own."""

import json
import shutil
import subprocess
from pathlib import Path

from hf_llm.config import UserError, require
from hf_llm.exports.engine import TIE, Continuation

PROGRAM = Path(__file__).with_name("transformers_js.mjs")


class TransformersJS:
    """A model in transformers.js; `close` ends its process.

    Args:
        model: A folder with config.json, the tokenizer and onnx/model.onnx.
        modules: A folder where `npm install @huggingface/transformers` was run.
    """

    precision = TIE

    def __init__(self, model: Path, modules: Path):
        node = shutil.which("node")
        require(node is not None, "transformers.js needs Node.js, which is not installed")
        self._process = subprocess.Popen(
            [node, str(PROGRAM), str(modules.resolve()), str(model.resolve())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        if self._process.stdout.readline().strip() != "ready":
            raise UserError(f"transformers.js does not start; run `npm install @huggingface/transformers` in {modules}")

    def continue_text(self, prompt: str, tokens: int) -> Continuation:
        """Continue a prompt greedily; the prompt is tokenised by transformers.js."""
        self._process.stdin.write(json.dumps({"prompt": prompt, "tokens": tokens}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Continuation(answer["prompt_ids"], answer["new_ids"])

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
