"""The web app in a process of its own, on a GPT-2 of the demo's size: what its benchmarks measure."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hf_llm.config import SOURCE, child_environment, python, require
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

PORT, PATIENCE = 7990, 120  # seconds
ADDRESS = f"http://127.0.0.1:{PORT}"


def train_story(runs: Path, **settings) -> None:
    """Train the model `story` on the project's sample, for a moment: its quality changes no time."""
    pretrain(PretrainConfig(output_dir=str(runs / "story"), corpus="sample", model="micro", precision="fp32", threads=1,
                            attention="eager", **settings))  # fmt: skip


@contextmanager
def running_app(runs: Path, *flags: str) -> Iterator[tuple[subprocess.Popen, list[str]]]:
    """Start the app and end it; yield its process, and the lines that it has printed, once it listens at ADDRESS."""
    with listening("-m", "hf_llm", "app", "--runs", str(runs), "--port", str(PORT), *flags) as started:
        yield started


@contextmanager
def listening(*command: str) -> Iterator[tuple[subprocess.Popen, list[str]]]:
    """Start a command of Python that serves at ADDRESS, as `running_app`."""
    server = subprocess.Popen(
        python(*command),
        cwd=SOURCE,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines, until = [], time.monotonic() + PATIENCE
    threading.Thread(target=lambda: lines.extend(server.stdout), daemon=True).start()
    try:
        while True:
            require(time.monotonic() < until and server.poll() is None, f"the app did not start: {lines[-3:]}")
            try:
                socket.create_connection(("127.0.0.1", PORT)).close()
                break
            except OSError:  # nobody listens yet; a visitor who asked again and again would take its time away
                time.sleep(0.05)
        yield server, lines
    finally:
        server.terminate()
        server.wait()
