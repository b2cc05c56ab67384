"""Models to export, and engines that may not be installed."""

import importlib.util
import sys

import pytest

from hf_llm.benchmarks.exports.shapes import Shape, begin_documents, source_of
from hf_llm.benchmarks.hub_faults.report import tiny_run
from hf_llm.data import read_text
from hf_llm.exports.formats import PACKAGES
from hf_llm.tokenization.tokenizer import train_bpe


def need(to: str) -> None:
    """Skip the test where a format's packages are not installed."""
    if to == "openvino":
        sys.modules.setdefault("openvino_telemetry", None)  # whatever imports it first: nothing is sent
    for module in PACKAGES[to]:
        if importlib.util.find_spec(module.split(".")[0]) is None:
            pytest.skip(f"{PACKAGES[to][module]} is not installed: pip install 'hf_llm[{to}]'")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The folder of a finished run: a GPT-2 of a few thousand parameters, context 16."""
    return tiny_run(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="session")
def make_source():
    """Returns a function that draws a model of a shape, with a tokenizer trained on the sample."""

    def make(n_embd=36, n_head=4, vocab_size=300, begins_documents=True, n_positions=40, n_layer=2, seed=0):
        tokenizer = train_bpe(read_text("sample").text, vocab_size)
        if begins_documents:
            begin_documents(tokenizer)
        shape = Shape(n_embd, n_head, n_layer, n_positions, vocab_size, begins_documents, seed)
        return source_of(shape, tokenizer)

    return make
