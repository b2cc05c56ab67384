"""From this project to a Space: its files are written aside, started there, and only then committed."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from huggingface_hub import constants

from hf_llm.config import UserError
from hf_llm.hub.commit import Contents, Destination, Pushed, commit_contents
from hf_llm.hub.config import SpaceConfig
from hf_llm.hub.secrets import refuse_secrets
from hf_llm.hub.space_files import write_space

LONGEST_START = 180.0  # seconds; a busy laptop takes twenty


def push_space(config: SpaceConfig) -> Pushed:
    """Put the app with its models on the Hub as a Space, in one commit; none where it is there already.

    Raises:
        UserError: When a run cannot be shown, the app does not start from these files alone, the Hub cannot be reached
            or refuses, or the branch has moved. No commit was made then.
    """
    with tempfile.TemporaryDirectory(prefix="space-") as name:
        folder = Path(name)
        write_space(folder, [Path(run) for run in config.runs])
        refuse_secrets(folder)
        start(folder)
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        return commit_contents(
            Contents(files, "space", "hf_llm, the app"),
            Destination(
                config.repo_id,
                private=config.private,
                branch=constants.DEFAULT_REVISION,
                create_pr=False,
                failure=f"the Space was not pushed to {config.repo_id}",
                retry=config.command,
            ),
        )


def start(folder: Path) -> None:
    """Start the app in `folder` with nothing else at hand, wait for its first page, and stop it.

    Raises:
        UserError: When it ends before, or takes too long; says what it said last.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="space-home-") as home, tempfile.TemporaryFile() as said:
        app = subprocess.Popen(
            [sys.executable, "space_app.py", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        try:
            deadline = time.monotonic() + LONGEST_START
            while app.poll() is None and time.monotonic() < deadline:
                if _answers(port):
                    return
                time.sleep(0.2)
        finally:
            app.kill()
            app.wait()
        said.seek(0)
        last = said.read().decode("utf-8", errors="replace").strip().splitlines()[-1:]
        raise UserError(
            f"the app does not start from the files of the Space ({' '.join(last) or 'it says nothing'}); "
            "nothing was pushed: mend it until `python space_app.py` shows its first page"
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


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            return page.status == 200
    except OSError:
        return False
