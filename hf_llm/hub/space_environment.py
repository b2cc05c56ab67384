"""The environment in which a Space is tried: what its own files ask for, and nothing that happens to be here."""

import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import metadata_load
from tqdm import tqdm

from hf_llm.config import require


@contextmanager
def fresh_environment(folder: Path) -> Iterator[Path]:
    """Make an environment of what `folder` asks for alone, as the Hub does, and remove it afterwards.

    Its requirements.txt goes in, and the Gradio that the card's `sdk_version` names. pip's settings are the user's.

    Args:
        folder: The files of a Space.

    Yields:
        The environment's Python.

    Raises:
        UserError: When a requirement cannot be installed; says what pip said.
    """
    gradio = f"gradio=={metadata_load(folder / 'README.md')['sdk_version']}"
    with tempfile.TemporaryDirectory(prefix="space-environment-") as name:
        python = Path(name, "Scripts", "python.exe") if os.name == "nt" else Path(name, "bin", "python")
        _install([sys.executable, "-m", "venv", name])
        _install([str(python), "-m", "pip", "install", "-r", str(folder / "requirements.txt"), gradio])
        yield python


def _install(command: list[str]) -> None:
    said = deque(maxlen=50)
    with (
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace",
        ) as running,
        tqdm(desc="installing the Space's requirements", unit=" lines", disable=None) as bar,
    ):  # fmt: skip
        for line in running.stdout:
            said.append(line.strip())
            bar.set_postfix_str(line.strip()[:60], refresh=False)
            bar.update()
    errors = [line for line in said if line.startswith("ERROR: ")] or list(said) or ["it says nothing"]
    require(
        running.returncode == 0,
        f"the requirements of the Space cannot be installed in a fresh environment ({errors[-1]}); nothing was pushed",
    )
