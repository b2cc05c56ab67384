"""A Hub of ours, clients in processes of their own, since huggingface_hub reads its address on import, and runs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_hub.server import HubServer

from hf_llm.benchmarks.hub_faults.clients import HubScripts
from hf_llm.recipes.classifier import train_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.pretrain import pretrain
from hf_llm.tokenization.config import TrainTokenizerConfig
from hf_llm.tokenization.train import train_tokenizer
from hf_llm.training.config import PretrainConfig

SHORT = {
    "max_steps": 2, "warmup_steps": 1, "total_batch_size": 4, "per_device_train_batch_size": 4, "eval_steps": 1,
    "precision": "fp32", "threads": 1,
}  # fmt: skip


@pytest.fixture(scope="session")
def one_hub() -> Iterator[HubServer]:
    with HubServer() as hub:
        yield hub


@pytest.fixture
def hub(one_hub) -> HubServer:
    """A Hub without repositories, faults, or memory of the tests before."""
    one_hub.clear()
    return one_hub


@pytest.fixture
def client(hub, tmp_path) -> Callable:
    """Returns a function that runs Python code as a client of the Hub, and returns what it prints as JSON last."""

    def run(code: str, *words, token: str | None = None, xet: bool = True):
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)],
            env=os.environ | hub.environment(tmp_path / "home", token, xet),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,  # nobody is there to answer a question
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def one_pair_of_scripts(one_hub, tmp_path_factory) -> Iterator[dict[bool, HubScripts]]:
    home = tmp_path_factory.mktemp("homes")
    variables = one_hub.environment(home)
    with HubScripts(variables, home / "xet", True) as xet, HubScripts(variables, home / "lfs", False) as lfs:
        yield {True: xet, False: lfs}


@pytest.fixture
def scripts(hub, one_pair_of_scripts) -> HubScripts:
    """Runs a script as a client of the Hub, with Xet."""
    return _with_a_new_home(one_pair_of_scripts[True])


@pytest.fixture(params=[True, False], ids=["xet", "lfs"])
def either_scripts(request, hub, one_pair_of_scripts) -> HubScripts:
    """Runs a script as a client of the Hub, with Xet and without."""
    return _with_a_new_home(one_pair_of_scripts[request.param])


def _with_a_new_home(scripts: HubScripts) -> HubScripts:
    """Xet remembers what it has uploaded, to a Hub that has forgotten it."""
    shutil.rmtree(scripts.home, ignore_errors=True)
    return scripts


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A folder with the runs `verdict` (a GPT-2) and `mlp`, and a `tokenizer`, all tiny."""
    folder = tmp_path_factory.mktemp("trained")
    gpt2 = {"corpus": "sample", "model": "nano", "vocab_size": 300, "n_layer": 1, "n_head": 2, "n_embd": 16}
    pretrain(
        PretrainConfig(
            output_dir=str(folder / "verdict"), n_positions=16, sample_tokens=2, eval_tokens=64, eval_stride=16,
            **gpt2, **SHORT,
        )
    )  # fmt: skip
    train_classifier(ClassifierConfig(output_dir=str(folder / "mlp"), data="digits", hidden_sizes=[8], **SHORT))
    train_tokenizer(TrainTokenizerConfig(corpus="sample", vocab_size=300, output_dir=str(folder / "tokenizer")))
    return folder


@pytest.fixture
def runs(trained, tmp_path) -> Path:
    """The same for a test of its own: a push writes into a run's folder."""
    return shutil.copytree(trained, tmp_path / "runs")
