"""Fixtures of all packages: data that may lie beside the checkout, and where it does not, a skip that says so."""

import os
from pathlib import Path

import pytest

from hf_llm.data import MissingData, Text, find, read_text

# fixtures that several packages' tests use
pytest_plugins = ["trained_gpt2", "tiny_training", "labelled_messages", "hub_clients"]

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the scripts do, before anything imports torch
os.environ["HF_HUB_OFFLINE"] = "1"  # tests are hermetic: nothing is ever downloaded
shared = Path(__file__).parents[2] / "shared" / "data"
if shared.is_dir():
    os.environ.setdefault("HF_LLM_DATA_DIR", str(shared))


@pytest.fixture(autouse=True)
def below_no_command(monkeypatch):
    """A test may run a command in this process; the messages of the next are not that command's."""
    monkeypatch.setattr("hf_llm.config.ways_out._flags", None)


def files_or_skip(source: str) -> list[Path]:
    """Return the files of a named source, or skip the test with what is missing."""
    try:
        return find(source)
    except MissingData:
        pytest.skip(f"{source} is not on this machine")


@pytest.fixture(scope="session")
def verdict_text() -> str:
    files_or_skip("the-verdict")
    return read_text("the-verdict").text


@pytest.fixture(scope="session")
def shakespeare_text() -> str:
    files_or_skip("tiny-shakespeare")
    return read_text("tiny-shakespeare").text


@pytest.fixture(scope="session")
def dom_casmurro() -> Text:
    files_or_skip("dom-casmurro")
    return read_text("dom-casmurro")


@pytest.fixture(scope="session")
def gpt2_tokenizer_files() -> list[Path]:
    """vocab.json and merges.txt of OpenAI's GPT-2."""
    return files_or_skip("gpt2-tokenizer")


@pytest.fixture(scope="session")
def mnist_files() -> list[Path]:
    return files_or_skip("mnist")
