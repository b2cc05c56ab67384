"""Fixtures: a fake Hub, and clients in processes of their own, since huggingface_hub reads its address on import."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fake_hub.server import HubServer

from hf_llm.benchmarks.fork_server import LIBRARIES, LIGHT, HubScripts

HEAVY = (*LIBRARIES, "transformers.pipelines")


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
def all_scripts(one_hub, tmp_path_factory) -> Iterator[Callable]:
    """Returns a function that starts the scripts, with Xet or without, once for all tests of the same libraries."""
    started = {}
    with ExitStack() as stack:

        def start(xet: bool, libraries: tuple[str, ...]) -> HubScripts:
            if (xet, libraries) not in started:
                home = tmp_path_factory.mktemp("clients") / "home"
                scripts = HubScripts(one_hub.environment(home), home, xet, libraries)
                started[xet, libraries] = stack.enter_context(scripts)
            scripts = started[xet, libraries]
            shutil.rmtree(scripts.home, ignore_errors=True)  # Xet remembers uploads to a Hub that has forgotten them
            return scripts

        yield start


@pytest.fixture
def scripts(hub, all_scripts) -> HubScripts:
    """Runs a script as a client of the Hub, with Xet."""
    return all_scripts(True, LIGHT)


@pytest.fixture(params=[True, False], ids=["xet", "lfs"])
def either_scripts(request, hub, all_scripts) -> HubScripts:
    """Runs a script as a client of the Hub, with Xet and without."""
    return all_scripts(request.param, LIGHT)


@pytest.fixture
def heavy_scripts(hub, all_scripts) -> HubScripts:
    """Runs a script that needs torch and transformers as a client of the Hub, without Xet."""
    return all_scripts(False, HEAVY)
