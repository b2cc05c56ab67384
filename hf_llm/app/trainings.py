"""Trainings that a visitor starts in the page: the project's own scripts as processes of their own.

What runs is the command that the page shows. To pause is to send it SIGTERM, after which it finishes its step and
saves a checkpoint; to resume is to start the same command again, which goes on bit for bit. So nothing is lost when
the app itself ends, either.
"""

import atexit
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hf_llm.config import require
from hf_llm.runs.manifest import NAME as MANIFEST

ROOT = Path(__file__).parents[2]  # of the checkout, where scripts/ lies
KEPT = 20  # run folders of trainings in the page; the oldest go
FOLDER = "page"  # below the runs folder

State = Literal["running", "paused", "stopped", "finished", "failed"]


@dataclass
class Training:
    """One training, its process and what came out so far.

    Args:
        name: Of the run, as the library lists it once it is finished.
        folder: Its run folder.
        command: What runs, without the interpreter: a script and its flags.
        output: The file that the process prints to.
        limit: Seconds that it may run, all its resumptions together.
    """

    name: str
    folder: Path
    command: list[str]
    output: Path
    limit: float
    _process: subprocess.Popen | None = None
    _asked: State | None = None  # why the process was asked to end
    _started: float = 0.0
    _spent: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def shown_command(self) -> str:
        """Return the command as one would type it."""
        return " ".join(["python", *(word if re.fullmatch(r"[\w./=-]+", word) else json.dumps(word)
                                     for word in self.command)])  # fmt: skip

    def start(self) -> None:
        """Start the process, or start it again after a pause."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._asked, self._started = None, time.monotonic()
            self.output.parent.mkdir(parents=True, exist_ok=True)
            with open(self.output, "ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, *self.command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=subprocess.STDOUT,
                )  # fmt: skip
            process, left = self._process, self.limit - self._spent
        threading.Thread(target=self._watch, args=(process, left), daemon=True).start()

    def _watch(self, process: subprocess.Popen, left: float) -> None:
        """End the process when its time is over, and count what it took."""
        try:
            process.wait(max(1.0, left))
        except subprocess.TimeoutExpired:
            self.end("stopped")
            process.wait()
        self._spent += time.monotonic() - self._started

    def end(self, state: Literal["paused", "stopped"]) -> None:
        """Ask the process to save a checkpoint and end; the training is then `state`."""
        with self._lock:
            self._asked = state
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()

    def kill(self) -> None:
        """End the process at once; its last checkpoint stays."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def state(self) -> State:
        if self._process is None:
            return self._asked or "paused"
        code = self._process.poll()
        if code is None:
            return "running"
        if code == 0:
            return "finished"
        return self._asked or "failed"

    @property
    def seconds(self) -> float:
        """How long it has run, its pauses left out."""
        running = self._process is not None and self._process.poll() is None
        return self._spent + (time.monotonic() - self._started if running else 0.0)

    def records(self) -> list[dict]:
        """Return the lines of log.jsonl so far; a line that is being written is not there yet."""
        try:
            lines = (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def last_words(self) -> str:
        """Return the last line that the process printed: of a failed one, the sentence that says why."""
        try:
            lines = self.output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except FileNotFoundError:
            return ""
        return lines[-1] if lines else ""


class Trainings:
    """All trainings of this process of the app.

    Args:
        runs: The app's folder of run folders; new ones lie in `page/` below it.
        at_once: How many may run at the same time.
        seconds: How long each may run.
    """

    def __init__(self, runs: Path, at_once: int, seconds: float):
        self.folder, self.at_once, self.seconds = Path(runs) / FOLDER, at_once, seconds
        self._trainings: dict[str, Training] = {}
        self._lock = threading.Lock()
        atexit.register(self.shutdown)

    def start(self, kind: str, command: list[str], files: dict[str, str] | None = None) -> Training:
        """Start a script with `--output_dir` set to a new run folder.

        Args:
            kind: What the run is called; a number is added.
            command: A script and its flags, without `--output_dir`. `{name}` stands for a file of `files`.
            files: {name: content} of texts that the command reads.

        Raises:
            UserError: When as many as may are running.
        """
        with self._lock:
            self._require_room()
            number = 1
            while (self.folder / f"{kind}-{number}").exists() or f"{FOLDER}/{kind}-{number}" in self._trainings:
                number += 1
            name = f"{FOLDER}/{kind}-{number}"
            beside = self.folder / ".inputs" / f"{kind}-{number}"
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            places = {}
            for file, content in (files or {}).items():
                places[file] = str(beside / file)
                (beside / file).write_text(content, encoding="utf-8")
            folder = self.folder / f"{kind}-{number}"
            words = [word.format(**places) if word.startswith("{") else word for word in command]
            training = Training(
                name, folder, [*words, "--output_dir", str(folder)], beside / "output.txt", self.seconds
            )
            self._trainings[name] = training
            self._forget_oldest()
            training.start()
        return training

    def resume(self, training: Training) -> None:
        """Go on with a paused training; errors as in `start`."""
        with self._lock:
            if training.state == "paused":
                self._require_room()
                training.start()

    def get(self, name: str) -> Training | None:
        """Return the training called `name`, or None for one of an earlier process."""
        return self._trainings.get(name)

    def shutdown(self) -> None:
        """End all processes; what they saved stays."""
        for training in list(self._trainings.values()):
            training.kill()

    def _require_room(self) -> None:
        running = sum(training.state == "running" for training in self._trainings.values())
        require(
            running < self.at_once,
            f"as many trainings are running as this app runs at once ({self.at_once}); wait until one ends",
        )

    def _forget_oldest(self) -> None:
        finished = sorted(self.folder.glob(f"*/{MANIFEST}"), key=lambda path: path.stat().st_mtime)
        for path in finished[: max(0, len(finished) - KEPT)]:
            name = f"{FOLDER}/{path.parent.name}"
            if name not in self._trainings or self._trainings[name].state != "running":
                shutil.rmtree(path.parent, ignore_errors=True)
                self._trainings.pop(name, None)
