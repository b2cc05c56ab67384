"""A Hub of ours for each test, and clients in processes of their own: huggingface_hub reads its address on import."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from hub_server import HubServer


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as hub:
        yield hub


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
