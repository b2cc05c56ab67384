"""Models to export."""

import pytest

from hf_llm.benchmarks.exports.shapes import Shape, source_of
from hf_llm.benchmarks.hub_faults.report import tiny_run
from hf_llm.data import read_text
from hf_llm.tokenization.tokenizer import train_bpe, without_document_start


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The folder of a finished run: a GPT-2 of a few thousand parameters, context 16."""
    return tiny_run(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="session")
def make_source():
    """Returns a function that draws a model of a shape, with a tokenizer trained on the sample."""

    def make(n_embd=36, n_head=4, vocab_size=300, begins_documents=True, n_positions=40, n_layer=2, seed=0):
        tokenizer = train_bpe(read_text("sample").text, vocab_size)
        if not begins_documents:
            tokenizer = without_document_start(tokenizer)
        shape = Shape(n_embd, n_head, n_layer, n_positions, vocab_size, begins_documents, seed)
        return source_of(shape, tokenizer)

    return make
