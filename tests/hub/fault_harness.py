"""Push and pull through one fault after the other, and look at what is left: all, nothing, or something in between."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fault_draw import AT_A_BYTE, Draw, draw
from hub_clients import LIGHT, HubScripts
from hub_http import FOREVER
from hub_server import HubServer

UNPROTECTED = "../tests/hub/unprotected_pull.py"
WHOLE, NOTHING, ARRIVED = "whole", "nothing, and a sentence", "whole, and a sentence"
GOOD = (WHOLE, NOTHING, ARRIVED)
WRONG = "took a wrong file"
OTHERS = (".gitattributes", "other.txt")  # what is not of the push: the Hub's own, and somebody else's
OLD_MODEL = {"config.json": b"{}", "model.safetensors": b"old", "figures/old.png": b"old"}


class FaultHarness:
    """A Hub, clients over both transports, and a run that goes up and down; a context manager.

    Args:
        run: Folder of a finished run.
        workspace: An empty folder.
    """

    def __init__(self, run: Path, workspace: Path):
        self.run, self.workspace, self.hub = run, workspace, HubServer()
        self.clients = {
            xet: HubScripts(self.hub, workspace / f"home-{xet}", xet, ("hurry", *LIGHT)) for xet in (True, False)
        }

    def __enter__(self) -> "FaultHarness":
        self.hub.__enter__()
        self.stored = {}
        for xet, client in self.clients.items():
            client.__enter__()
            result = client("hub.py", "push", self._fresh_run(xet), "me/verdict")
            assert result.returncode == 0, result.stderr
            self.stored[xet] = self.hub.repositories, self.hub.objects, self.hub.xet
        self.content = self._there()
        return self

    def __exit__(self, *error) -> None:
        for client in self.clients.values():
            client.__exit__(*error)
        self.hub.__exit__(*error)

    def records(self, seed: int, count: int) -> Iterator[dict]:
        """Yield a record a fault."""
        sizes = {path: len(content) for path, content in self.content.items()}
        for number in range(count):
            drawn = draw(seed, number, sizes, can_mount())
            fault = drawn.fault
            yield {
                "number": number,
                "direction": "push" if drawn.pushes else "pull",
                "transport": "xet" if drawn.xet else "lfs",
                "fault": fault.kind + (f" {fault.status}" if fault.kind == "status" else "") if fault else "full disk",
                "request": f"{fault.method} {fault.path}" if fault else None,
                "byte": drawn.disk if fault is None else fault.at if fault.kind in AT_A_BYTE else None,
                "always": bool(fault) and fault.times == FOREVER,
                **(self._push(drawn) if drawn.pushes else self._pull(drawn)),
            }

    def _push(self, drawn: Draw) -> dict:
        """Push through a fault, then again without one."""
        run, client = self._fresh_run(drawn.xet), self.clients[drawn.xet]
        if drawn.replaces:
            self.hub.create("me/verdict", OLD_MODEL)
        before = self._there()
        record = self._through(drawn, client, "hub.py", "push", run, "me/verdict")
        after = self._there()
        record["outcome"] = record["outcome"] or end(record, after == self.content, after == before)
        self._mend()
        again = client("hub.py", "push", run, "me/verdict")
        if again.returncode or self._there() != self.content:
            record["outcome"] = f"the same command did not mend it: {again.stderr}"
        elif sum("pretraining" in commit.title for commit in self.hub.repository("me/verdict").commits.values()) > 1:
            record["outcome"] = "there are two commits"
        return record

    def _pull(self, drawn: Draw) -> dict:
        """Pull through a fault, and again without our protection."""
        client = self.clients[drawn.xet]
        records = {}
        for name, words in {"ours": ("hub.py", "pull"), "unprotected": (UNPROTECTED,)}.items():
            shutil.rmtree(client.home, ignore_errors=True)
            self.hub.clear()
            self.hub.repositories, self.hub.objects, self.hub.xet = self.stored[drawn.xet]
            with new_disk(self.workspace / "disk", drawn.disk) as disk:
                records[name] = record = self._through(drawn, client, *words, "me/verdict", disk / "pulled")
                found = content_of(disk / "pulled")
                left = [path.name for path in disk.iterdir() if path.name != "pulled"]
            whole = {path: found.get(path) for path in self.content} == self.content
            if name == "ours":
                record["outcome"] = record["outcome"] or end(record, found == self.content, not found and not left)
            else:
                record["outcome"] = "failed" if record["exit_code"] else WHOLE if whole else WRONG
        return records["ours"] | {"unprotected": records["unprotected"]["outcome"]}

    def _through(self, drawn: Draw, client: HubScripts, *words) -> dict:
        """Run a command while the fault is about, and return the beginning of a record."""
        fault = dataclasses.replace(drawn.fault) if drawn.fault else None
        if fault:
            self.hub.faults.append(fault)
        result = client(*words)
        outcome = None
        if "Traceback" in result.stderr or result.returncode not in (0, 2):
            outcome = f"no sentence: {result.stderr[-300:]}"
        elif self.hub.token in result.stdout + result.stderr:
            outcome = "the token was shown"
        sentences = re.findall(r"^error: (.*)", result.stderr, re.MULTILINE)
        return {
            "met": fault.times < drawn.fault.times if fault else True,
            "exit_code": result.returncode,
            "outcome": outcome,
            "said": without_places("; ".join(sentences), self.workspace, self.hub),
        }

    def _fresh_run(self, xet: bool) -> Path:
        """Return a copy of the run that was never pushed, with a client and a Hub that know nothing."""
        self.hub.clear()
        shutil.rmtree(self.clients[xet].home, ignore_errors=True)
        shutil.rmtree(self.workspace / "run", ignore_errors=True)
        return shutil.copytree(self.run, self.workspace / "run")

    def _mend(self) -> None:
        self.hub.faults.clear()
        self.hub.restore_tokens()

    def _there(self) -> dict[str, bytes]:
        """Return what the branch holds; nothing of a repository that is not there."""
        if ("model", "me/verdict") not in self.hub.repositories:
            return {}
        files = self.hub.repository("me/verdict").files()
        return {path: self.hub.content(file) for path, file in files.items() if path not in OTHERS}


def end(record: dict, whole: bool, nothing: bool) -> str:
    """Return how a command ended, by what it said and what is there."""
    if record["exit_code"] == 0:
        return WHOLE if whole else "said to be done, but it is not"
    if not record["said"]:
        return "no sentence"
    return ARRIVED if whole else NOTHING if nothing else "something in between"


def content_of(folder: Path) -> dict[str, bytes]:
    """Return {path: content} of a folder, without the notes of the Hub's client."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {path: file.read_bytes() for path, file in files.items() if not path.startswith((".cache/", ".gitattr"))}


def without_places(text: str, workspace: Path, hub: HubServer) -> str:
    """Take out of a sentence what another run of the harness would call otherwise."""
    return text.replace(str(workspace), "…").replace(hub.storage_url, "http://storage").replace(hub.url, "http://hub")


def can_mount() -> bool:
    return sys.platform.startswith("linux") and os.geteuid() == 0


@contextmanager
def new_disk(folder: Path, size: int) -> Iterator[Path]:
    """Yield an empty folder, on a disk of so many bytes; 0 takes the one that is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if size:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        if size:
            subprocess.run(["umount", "-l", folder], check=True)
