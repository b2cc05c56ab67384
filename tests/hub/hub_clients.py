"""Scripts as clients of a test Hub: as they are typed, each in a process of its own that forks from a warm one."""

import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

SCRIPTS = Path(__file__).parents[1] / "scripts"
sys.path.append(str(SCRIPTS))
from fork_server import ROOT, Scripts  # noqa: E402
from hub_server import HubServer  # noqa: E402

SERVE = """
import sys, fork_server
fork_server.LIBRARIES = sys.argv[1:]
fork_server.serve()
"""
LIGHT = ("huggingface_hub.hf_api", "safetensors", "transformers.hf_argparser", "yaml")


class HubScripts(Scripts):
    """Call it as `Scripts`, with the token that the client has; a context manager that ends the server.

    huggingface_hub reads the Hub's address when it is imported, which the server does: it knows one Hub.

    Args:
        hub: The Hub.
        home: Folder for the client's token and caches.
        xet: Whether large files go by Xet, else by LFS.
        libraries: What the server imports once for all.
    """

    def __init__(self, hub: HubServer, home: Path, xet: bool, libraries: tuple[str, ...] = LIGHT):
        self.hub, self.home, self.libraries = hub, home, libraries
        self.environment = (
            os.environ
            | hub.environment(home, "", xet)
            | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, SCRIPTS, Path(__file__).parent)))}
        )

    def __enter__(self):
        self.server = None
        if sys.platform == "linux":
            self.server = subprocess.Popen(
                [sys.executable, "-c", SERVE, *self.libraries],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=self.environment,
            )  # fmt: skip
        return self

    def __call__(self, script: str, *words, token: str | None = None) -> CompletedProcess:
        """Run `python scripts/<script> <words>` with a token, by default the writer's; "" for none."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "token").write_text(self.hub.token if token is None else token)
        if self.server:
            return super().__call__(script, *words)
        command = [sys.executable, ROOT / "scripts" / script, *map(str, words)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", env=self.environment)
