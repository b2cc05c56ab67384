"""Scripts as clients of a Hub on loopback: as they are typed, each in a process that forks from a warm one."""

import os
from pathlib import Path
from subprocess import CompletedProcess

from hf_llm.benchmarks.fork_server import ROOT, Scripts

LIGHT = ("huggingface_hub.hf_api", "safetensors", "transformers.hf_argparser", "yaml")


class HubScripts(Scripts):
    """Call it as `Scripts`, with the token that the client has.

    huggingface_hub reads the Hub's address when it is imported, which the server does: it knows one Hub.

    Args:
        hub: The variables of a client of that Hub, with the token of a writer.
        home: Folder for the client's token and caches.
        xet: Whether large files go by Xet, else by LFS.
        libraries: What the server imports once for all.
    """

    def __init__(self, hub: dict[str, str], home: Path, xet: bool, libraries: tuple[str, ...] = LIGHT):
        self.home, self.token, self.xet = home, hub["HF_TOKEN"], xet
        own = {"HF_HOME": str(home), "HF_TOKEN": "", "HF_HUB_DISABLE_XET": str(int(not xet)), "PYTHONPATH": str(ROOT)}
        super().__init__(libraries, os.environ | hub | own)

    def __call__(self, script: str | Path, *arguments, token: str | None = None) -> CompletedProcess:
        """Run `python scripts/<script> <arguments>` with a token, by default the writer's; "" for none."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "token").write_text(self.token if token is None else token)
        return super().__call__(script, *arguments)
