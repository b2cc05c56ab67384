"""One training that a visitor started in the page: one of the project's own commands as a process.

What runs is the command that the page shows. To pause is to send it SIGTERM, after which it finishes its step and
saves a checkpoint; to resume is to start the same command again, which goes on bit for bit. Windows has no SIGTERM:
there the process ends at once, and goes on from its last checkpoint.
"""

import hashlib
import json
import secrets
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hf_llm.app.server.background import stand_back
from hf_llm.app.server.places import without_places
from hf_llm.config import UserError, child_environment, python, typed
from hf_llm.runs import lock
from hf_llm.runs.atomic import write_json
from hf_llm.runs.log import RunLog
from hf_llm.runs.manifest import read_manifest

PROGRAM = python("-m", "hf_llm")
RECORD = "training.json"
GRACE = 60.0  # seconds for the step and the checkpoint of a process that was asked to end
FAILURE = "error: "  # how a command begins the message that says why it ended

State = Literal["waiting", "running", "paused", "stopped", "finished", "failed"]


@dataclass
class Training:
    """One training, its process and what came out so far.

    Args:
        name: Of the run, as the library lists it once it is finished.
        folder: Its run folder.
        command: What runs: the name of a command and its flags.
        home: Folder in which it runs, and from which the paths in the command lead.
        beside: Folder of what is kept beside the run: texts that it reads, its output, the record to find it again.
        limit: Seconds that it may run, all its resumptions together.
        owner: Fingerprint of the secret that one must know to pause, resume or stop it; empty = anybody may.
        looked_at: When somebody last looked at it, in seconds of a clock that only goes forward.
        place: Its place among those that wait, from 1, and how many they are.
    """

    name: str
    folder: Path
    command: list[str]
    home: Path
    beside: Path
    limit: float
    owner: str = ""
    looked_at: float = 0.0
    place: tuple[int, int] | None = None
    _waits: bool = False
    _before: State = "paused"  # as an earlier process of the app left it
    _process: subprocess.Popen | None = None
    _watcher: threading.Thread | None = None
    _asked: Literal["paused", "stopped"] | None = None  # why the process was asked to end
    _started: float | None = None
    _spent: float = 0.0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def found(cls, name: str, folder: Path, home: Path, beside: Path, limit: float) -> "Training | None":
        """Return the training that an earlier process of the app left, or None where there is none."""
        try:
            record = json.loads((beside / RECORD).read_text(encoding="utf-8"))
            before = "paused" if record["state"] == "waiting" else record["state"]  # the line of that process is gone
            owner = record.get("owner", "")
            command, spent = record["command"], record["seconds"]
            return cls(name, folder, command, home, beside, limit, owner, _before=before, _spent=spent)
        except (OSError, ValueError, KeyError):
            return None

    def shown_command(self) -> str:
        """Return the command as one would type it."""
        return typed("hf-llm", *self.command)

    def start(self) -> None:
        """Start the process, or start it again after a pause."""
        if self._watcher is not None and self.state != "running":
            self._watcher.join()  # it counts the seconds of the process before
        with self._lock:
            if self.state == "running":
                return
            self._asked, self._started, self._waits = None, time.monotonic(), False
            self.beside.mkdir(parents=True, exist_ok=True)
            with open(self.beside / "output.txt", "wb") as output:
                self._process = subprocess.Popen(
                    [*PROGRAM, *self.command], cwd=self.home,
                    env=child_environment(),
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                )  # fmt: skip
            stand_back(self._process.pid)
            self._save()
            self._watcher = threading.Thread(target=self._watch, args=(self._process,), daemon=True)
            self._watcher.start()

    def wait_for_turn(self) -> None:
        """Be in the line of those that wait, until it is started or given up."""
        with self._lock:
            self._waits = True
            self._save()

    def owned_by(self, secret: str) -> bool:
        """Say whether who knows `secret` may pause, resume or stop it."""
        return not self.owner or secrets.compare_digest(self.owner, fingerprint(secret))

    def _watch(self, process: subprocess.Popen) -> None:
        """End the process when its time is over, and count what it took."""
        try:
            process.wait(self.left)
        except subprocess.TimeoutExpired:
            self.end("stopped")
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with self._lock:
            self._spent, self._started = self.seconds, None
            self._save()

    def end(self, state: Literal["paused", "stopped"]) -> None:
        """Ask the process to save a checkpoint and end; the training is then `state`."""
        with self._lock:
            if self._running():
                if self._asked is None:  # a second signal would end it before it has saved
                    self._process.terminate()
                self._asked = state
            elif self.state in ("paused", "waiting"):  # given up without being resumed
                self._waits = False
                self._asked = self._before = state
                self._save()

    def wait(self, seconds: float) -> None:
        """Return when the process has ended, and kill it when it has not after so many seconds."""
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._watcher.join()

    @property
    def state(self) -> State:
        if self._waits:
            return "waiting"
        if self._running():
            return "running"
        if self._published():  # also by the command in a terminal
            return "finished"
        if self._process is not None:
            return "finished" if self._process.returncode == 0 else self._asked or "failed"
        if self._before != "running":
            return self._before
        return "running" if self.runs else "paused"

    @property
    def runs(self) -> bool:
        """Whether its process runs; the app that started it may have been killed, and the process have gone on."""
        return self._running() or (self._process is None and self._before == "running" and self._held())

    @property
    def ours(self) -> bool:
        """Whether a process that runs can be asked to end; not one that an app left which was killed."""
        return self._process is not None

    @property
    def ending(self) -> bool:
        """Whether it was asked to end and still finishes its step."""
        return self._running() and self._asked is not None

    @property
    def seconds(self) -> float:
        """How long it has run, its pauses left out."""
        return self._spent + (0.0 if self._started is None else time.monotonic() - self._started)

    @property
    def left(self) -> float:
        """Seconds that it may still run."""
        return max(0.0, self.limit - self.seconds)

    def records(self) -> list[dict]:
        """Return the lines of log.jsonl so far."""
        return RunLog(self.folder / "log.jsonl").records()

    def error(self) -> str:
        """Return the message of a command that could not go on; empty where it gave none."""
        try:
            lines = (self.beside / "output.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except FileNotFoundError:
            return ""
        failure = lines[-1].removeprefix(FAILURE) if lines and lines[-1].startswith(FAILURE) else ""
        return without_places(failure, [self.home])

    def _running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _held(self) -> bool:
        """Whether a process holds the run folder."""
        try:
            return lock.is_held(self.folder)
        except (UserError, OSError):  # closed to this user
            return False

    def _published(self) -> bool:
        try:
            return "metrics" in (read_manifest(self.folder) or {})
        except UserError:
            return False

    def _save(self) -> None:
        record = {"command": self.command, "state": self.state, "seconds": self.seconds, "owner": self.owner}
        write_json(self.beside / RECORD, record)


def fingerprint(secret: str) -> str:
    """Return what is kept of a visitor's secret, from which nobody learns it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
