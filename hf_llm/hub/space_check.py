"""A Space before it is pushed: its app is started from its files alone, and each of its models is asked something.

The environment has what the Space's own files ask for, and nothing that happens to be installed here.
"""

import base64
import io
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from huggingface_hub import metadata_load
from PIL import Image, ImageDraw
from tqdm import tqdm

from hf_llm.config import UserError, require
from hf_llm.config import python as python_command
from hf_llm.runs.manifest import model_task, read_manifest

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy would not reach this machine
LONGEST_START = 180.0  # seconds; a busy laptop takes twenty
LONGEST_ANSWER = 120.0  # seconds; the first one waits until torch and transformers are loaded


@contextmanager
def fresh_environment(folder: Path) -> Iterator[Path]:
    """Make an environment of what `folder` asks for alone, as the Hub does, and remove it afterwards.

    Its requirements.txt goes in, and the Gradio that the card's `sdk_version` names. pip's settings are the user's.

    Args:
        folder: The files of a Space.

    Yields:
        The environment's Python.

    Raises:
        UserError: When a requirement cannot be installed; with the message of pip.
    """
    gradio = f"gradio=={metadata_load(folder / 'README.md')['sdk_version']}"
    with tempfile.TemporaryDirectory(prefix="space-environment-") as name:
        python = Path(name, "Scripts", "python.exe") if os.name == "nt" else Path(name, "bin", "python")
        _install(python_command("-m", "venv", name))
        _install([str(python), "-m", "pip", "install", "-r", str(folder / "requirements.txt"), gradio])
        yield python


def start(folder: Path, python: Path) -> None:
    """Start the app in `folder` with nothing else at hand, ask each of its models something, and stop it.

    Its first page alone would show little: what calculates is imported later.

    Args:
        folder: The files of a Space.
        python: What runs it.

    Raises:
        UserError: When the app ends before, takes too long, or one of the models does not answer.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="space-home-") as home:
        output = Path(home, "output.txt")
        with open(output, "wb") as stream:
            app = subprocess.Popen(
                [str(python), "space_app.py", "--host", "127.0.0.1", "--port", str(port)],
                cwd=folder,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        try:
            deadline = time.monotonic() + LONGEST_START
            while not _has_started(port, output):
                if app.poll() is not None or time.monotonic() > deadline:
                    raise UserError(
                        f"the app does not start from the files of the Space ({_last_line(output)}); nothing was "
                        "pushed: mend it until `hf-llm app` shows its first page"
                    )
                time.sleep(0.2)
            for run in sorted((folder / "runs").glob("*")):
                if not _model_answers(port, run):
                    raise UserError(
                        f"the app starts from the files of the Space, but its model {run.name} does not answer "
                        f"({_last_line(output)}); nothing was pushed"
                    )
        finally:
            app.kill()
            app.wait()


def _install(command: list[str]) -> None:
    output = deque(maxlen=50)
    with (
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace",
        ) as running,
        tqdm(desc="installing the Space's requirements", unit=" lines", disable=None) as bar,
    ):  # fmt: skip
        for line in running.stdout:
            output.append(line.strip())
            bar.set_postfix_str(line.strip()[:60], refresh=False)
            bar.update()
    errors = [line for line in output if line.startswith("ERROR: ")] or list(output) or ["no output"]
    require(
        running.returncode == 0,
        f"the requirements of the Space cannot be installed in a fresh environment ({errors[-1]}); nothing was pushed",
    )


def _environment(home: str) -> dict[str, str]:
    """Return an environment without this user's settings, tokens, caches and paths, and without the Hub."""
    kept = ("PATH", "SYSTEMROOT", "LANG", "OMP_NUM_THREADS")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": home,
        "USERPROFILE": home,
        "PYTHONDONTWRITEBYTECODE": "1",  # what lies in the folder is what is pushed
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
    }


def _has_started(port: int, output: Path) -> bool:
    """Whether the app has printed its address, and its first page is there.

    Gradio serves pages earlier, but then still asks itself for one: whoever made it import torch in that moment would
    make it give up on a busy machine.
    """
    try:
        with LOCAL.open(f"http://127.0.0.1:{port}/", timeout=10) as page:
            return page.status == 200 and f":{port}" in output.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _model_answers(port: int, run: Path) -> bool:
    """Let the model of a run answer through the app's public endpoints: one token, or one digit."""
    if model_task(read_manifest(run)) == "text-generation":
        endpoint, inputs = "generate", ["a", run.name, 1, True, 1.0, 0, 1.0, 1.0, 0]
    else:
        endpoint, inputs = "classify_digit", [_picture_of_a_one(), run.name]
    address = f"http://127.0.0.1:{port}/gradio_api/call/{endpoint}"
    asked = urllib.request.Request(
        address, json.dumps({"data": inputs}).encode(), headers={"content-type": "application/json"}
    )
    try:
        with LOCAL.open(asked, timeout=LONGEST_ANSWER) as answer:
            event = json.load(answer)["event_id"]
        with LOCAL.open(f"{address}/{event}", timeout=LONGEST_ANSWER) as answer:
            return b"event: complete" in answer.read()
    except (OSError, HTTPException):  # no connection, or one that broke
        return False


def _picture_of_a_one() -> str:
    """Return the base64 text of a PNG."""
    picture = Image.new("L", (28, 28))
    ImageDraw.Draw(picture).line((14, 5, 14, 22), fill=255, width=3)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _last_line(output: Path) -> str:
    lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"
