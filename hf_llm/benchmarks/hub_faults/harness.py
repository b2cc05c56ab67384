"""Push and pull through one fault after the other, and look at what is left: all, nothing, or something in between."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hf_llm.benchmarks.fork_server import LIGHT, HubScripts
from hf_llm.benchmarks.hub_faults.draw import AT_A_BYTE, FOREVER, Draw, draw
from hf_llm.benchmarks.hub_faults.hub import FaultyHub

UNPROTECTED = Path(__file__).with_name("unprotected_pull.py")
LIBRARIES = ("hf_llm.benchmarks.hub_faults.hurry", *LIGHT)
REPO_ID = "me/verdict"
WHOLE, NOTHING, ARRIVED = "whole", "nothing, and a sentence", "whole, and a sentence"
GOOD = (WHOLE, NOTHING, ARRIVED)
WRONG = "took a wrong file"
OTHERS = (".gitattributes", "other.txt")  # what is not of the push: the Hub's own, and somebody else's
OLD_MODEL = {"config.json": b"{}", "model.safetensors": b"old", "figures/old.png": b"old"}


class FaultHarness:
    """A Hub, clients over both transports, and a finished run that goes up and down; a context manager.

    `server` is as in `FaultyHub`, `workspace` an empty folder.
    """

    def __init__(self, server: Path, run: Path, workspace: Path):
        self.run, self.workspace, self.hub = run, workspace, FaultyHub(server)

    def __enter__(self) -> "FaultHarness":
        with ExitStack() as stack:
            stack.enter_context(self.hub)
            self.clients = {}
            for xet in (True, False):
                scripts = HubScripts(self.hub.environment, self.workspace / f"home-{xet}", xet, LIBRARIES)
                self.clients[xet] = client = stack.enter_context(scripts)
                result = client("hub.py", "push", self._fresh_run(xet), REPO_ID)
                assert result.returncode == 0, result.stderr
                self.hub.ask("keep", name=str(xet))
            self.content = self._there()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.close()

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
            self.hub.create(REPO_ID, OLD_MODEL)
        before = self._there()
        record = self._through(drawn, client, "hub.py", "push", run, REPO_ID)
        self.hub.ask("mend")
        after = self._there()
        record["outcome"] = record["outcome"] or end(record, after == self.content, after == before)
        again = client("hub.py", "push", run, REPO_ID)
        if again.returncode or self._there() != self.content:
            record["outcome"] = f"the same command did not mend it: {again.stderr}"
        elif sum("pretraining" in title for title in self.hub.ask("titles", name=REPO_ID)) > 1:
            record["outcome"] = "there are two commits"
        return record

    def _pull(self, drawn: Draw) -> dict:
        """Pull through a fault, and again without our protection."""
        client = self.clients[drawn.xet]
        records = {}
        for name, command in {"ours": ("hub.py", "pull"), "unprotected": (UNPROTECTED,)}.items():
            shutil.rmtree(client.home, ignore_errors=True)
            self.hub.ask("restore", name=str(drawn.xet))
            with new_disk(self.workspace / "disk", drawn.disk) as disk:
                records[name] = record = self._through(drawn, client, *command, REPO_ID, disk / "pulled")
                found = content_of(disk / "pulled")
                left = [path.name for path in disk.iterdir() if path.name != "pulled"]
            whole = {path: found.get(path) for path in self.content} == self.content
            if name == "ours":
                record["outcome"] = record["outcome"] or end(record, found == self.content, not found and not left)
            else:
                record["outcome"] = "failed" if record["exit_code"] else WHOLE if whole else WRONG
        return records["ours"] | {"unprotected": records["unprotected"]["outcome"]}

    def _through(self, drawn: Draw, client: HubScripts, *command) -> dict:
        """Run a command while the fault is about, and return the beginning of a record."""
        fault = drawn.fault
        if fault:
            self.hub.fail(fault)
        result = client(*command)
        outcome = None
        if "Traceback" in result.stderr or result.returncode not in (0, 2):
            outcome = f"no sentence: {result.stderr[-300:]}"
        elif client.token in result.stdout + result.stderr:
            outcome = "the token was shown"
        messages = re.findall(r"^error: (.*)", result.stderr, re.MULTILINE)
        return {
            "met": self.hub.ask("times_left")[0] < fault.times if fault else True,
            "exit_code": result.returncode,
            "outcome": outcome,
            "said": self._without_places("; ".join(messages)),
        }

    def _fresh_run(self, xet: bool) -> Path:
        """Return a copy of the run that was never pushed, with a client and a Hub that know nothing."""
        self.hub.ask("clear")
        shutil.rmtree(self.clients[xet].home, ignore_errors=True)
        shutil.rmtree(self.workspace / "run", ignore_errors=True)
        return shutil.copytree(self.run, self.workspace / "run")

    def _there(self) -> dict[str, bytes]:
        """Return what the branch holds; nothing of a repository that is not there."""
        return {path: content for path, content in self.hub.contents(REPO_ID).items() if path not in OTHERS}

    def _without_places(self, message: str) -> str:
        """Take out of a message what another run of the harness would call otherwise."""
        places = {"HF_ENDPOINT": "http://hub", "FAKE_HUB_STORAGE": "http://storage"}
        for name, place in places.items():
            message = message.replace(self.hub.environment[name], place)
        return message.replace(str(self.workspace), "…")


def end(record: dict, whole: bool, nothing: bool) -> str:
    """Return how a command ended, by its error message and what is there."""
    if record["exit_code"] == 0:
        return WHOLE if whole else "said to be done, but it is not"
    if not record["said"]:
        return "no sentence"
    return ARRIVED if whole else NOTHING if nothing else "something in between"


def content_of(folder: Path) -> dict[str, bytes]:
    """Return {path: content} of a folder, without the notes of the Hub's client."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {path: file.read_bytes() for path, file in files.items() if not path.startswith((".cache/", ".gitattr"))}


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
