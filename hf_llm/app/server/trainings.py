"""The trainings of the page: how many at once and for how long, whose they are, where they lie, finding them again.

    trainings.start("gpt2", ["pretrain", "--corpus", "{text.txt}"], {"text.txt": "…"}, title="Ana", owner="a secret")

When as many run as may, the next ones wait in the order of their coming, one of each visitor. Who waits looks at his
page; one that nobody looks at any more is passed over.

A finished model stays: whatever is started and stopped afterwards removes only what came to no end. When the folder is
full of models, or the disk is, nothing new is started.

What happens to their processes when the app ends:

- It ends by itself, by Ctrl-C or by SIGTERM: each saves a checkpoint and ends.
- It is killed with SIGKILL: nothing can ask them to. Each goes on to its last step, publishes its model, and ends.

In both cases the app that is started next finds the training by its name: paused, to be resumed; or still running, to
be watched, or finished.
"""

import atexit
import re
import secrets
import shutil
import tempfile
import threading
import time
import unicodedata
import zipfile
from datetime import date
from pathlib import Path

from hf_llm.app.server.training_process import RECORD, Training, fingerprint
from hf_llm.config import UserError, free_bytes, require
from hf_llm.texts import both

FOLDER = "page"  # below the runs folder
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look like another
TITLE = 24  # characters of a name that somebody gave, as far as it is part of a folder's name
AT_EXIT = 10.0  # seconds for all processes to save
WAITING = 100  # trainings that may wait for their turn
UNWATCHED = 150.0  # seconds after which one that waits is passed over; a browser wakes a hidden page once a minute
FREE = 1_000_000_000  # bytes of the disk that stay free


class Trainings:
    """All trainings of the page.

    Args:
        runs: The app's folder of run folders; new ones lie in `page/` below it.
        at_once: How many may run at the same time.
        seconds: How long each may run.
        most: How many are kept, the finished ones included.
    """

    def __init__(self, runs: Path, at_once: int, seconds: float, most: int = 100):
        self.home, self.at_once, self.seconds, self.most = Path(runs).absolute().parent, at_once, seconds, most
        self.folder = Path(runs).absolute() / FOLDER
        self._trainings: dict[str, Training] = {}
        self._line: list[Training] = []  # those that wait, the next one first
        self._lock = threading.RLock()
        self._archives = tempfile.TemporaryDirectory(prefix="hf_llm-")
        atexit.register(self.shutdown)

    def start(
        self, kind: str, command: list[str], files: dict[str, str] | None = None, title: str = "", owner: str = ""
    ) -> Training:
        """Start a command with `--output_dir` set to a new run folder, or let it wait for its turn.

        Args:
            kind: What its name begins with; the title, the date and some letters follow.
            command: Its name and its flags, without `--output_dir`. The argument `{name}` stands for a file of `files`.
            files: {name: content} of texts that the command reads.
            title: What somebody called it.
            owner: A secret of the visitor; only who knows it may pause, resume or stop the training.

        Raises:
            UserError: When this visitor has one that runs or waits, as many wait as may, or there is no room.
        """
        with self._lock:
            self._go_on()
            self._require_alone(owner)
            require(len(self._line) < WAITING, both("app.trainings_full", waiting=len(self._line)))
            self._make_room()
            letters = "".join(secrets.choice(LETTERS) for _ in range(6))
            name = "-".join(filter(None, [kind, _part_of_a_name(title), date.today().isoformat(), letters]))
            beside = self._beside(name)
            beside.mkdir(parents=True)
            paths = {}
            for file, content in (files or {}).items():
                (beside / file).write_text(content, encoding="utf-8", newline="")
                paths[f"{{{file}}}"] = self._from_home(beside / file)
            command = [paths.get(argument, argument) for argument in command]
            folder = self.folder / name
            command += ["--output_dir", self._from_home(folder)]
            owned = fingerprint(owner) if owner else ""
            training = Training(f"{FOLDER}/{name}", folder, command, self.home, beside, self.seconds, owned)
            self._trainings[training.name] = training
            self._start_or_wait(training)
        return training

    def resume(self, training: Training) -> None:
        """Go on with a paused training, or with one that failed for a reason that is gone, when its turn has come.

        Raises:
            UserError: When as many wait as may, or its time is over.
        """
        with self._lock:
            if training.state in ("paused", "failed"):
                self._go_on()
                require(len(self._line) < WAITING, both("app.trainings_full", waiting=len(self._line)))
                if not training.left:
                    raise UserError(both("app.training_time_over", seconds=round(training.limit)))
                self._start_or_wait(training)

    def get(self, name: str) -> Training | None:
        """Return the training called `name`, one of an earlier process of the app too; None where there is none."""
        with self._lock:
            training = self._found(name)
            if training is not None:
                training.looked_at = time.monotonic()
            self._go_on()
            for place, waiting in enumerate(self._line, start=1):
                waiting.place = place, len(self._line)
            return training

    def archive(self, training: Training) -> Path | None:
        """Return a zip of its run folder without the checkpoints; None while it runs, and where nothing is in it."""
        if training.state == "running":
            return None
        files = [
            path
            for path in sorted(training.folder.rglob("*"))
            if path.is_file() and _belongs(path.relative_to(training.folder))
        ]
        if not files:
            return None
        target = Path(self._archives.name) / f"{training.folder.name}.zip"
        with self._lock, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, Path(training.folder.name) / path.relative_to(training.folder))
        return target

    def shutdown(self) -> None:
        """Let all processes save a checkpoint and end."""
        trainings = list(self._trainings.values())
        for training in trainings:
            if training.state == "running":
                training.end("paused")
        for training in trainings:
            training.wait(AT_EXIT)
        self._archives.cleanup()

    def _found(self, name: str) -> Training | None:
        if name not in self._trainings and re.fullmatch(rf"{FOLDER}/[a-z0-9-]+", name):
            short = name.removeprefix(f"{FOLDER}/")
            found = Training.found(name, self.folder / short, self.home, self._beside(short), self.seconds)
            if found is not None:
                self._trainings[name] = found
        return self._trainings.get(name)

    def _from_home(self, path: Path) -> str:
        """Return the path as the process sees it, which runs where the folder of runs lies."""
        return path.relative_to(self.home).as_posix()

    def _beside(self, name: str) -> Path:
        return self.folder / ".inputs" / name

    def _free(self) -> bool:
        return sum(training.runs for training in self._trainings.values()) < self.at_once

    def _start_or_wait(self, training: Training) -> None:
        training.looked_at = time.monotonic()
        if self._free() and not self._line:
            training.start()
        else:
            training.wait_for_turn()
            self._line.append(training)

    def _go_on(self) -> None:
        """Start those whose turn has come; who gave up, or has left the page, has none."""
        for training in self._line:
            if training.state == "waiting" and time.monotonic() - training.looked_at > UNWATCHED:
                training.end("stopped")
        self._line = [training for training in self._line if training.state == "waiting"]
        while self._line and self._free():
            self._line.pop(0).start()

    def _require_alone(self, owner: str) -> None:
        """Refuse a visitor who has a training that runs or waits."""
        busy = [*self._line, *(each for each in self._trainings.values() if each.runs)]
        require(not owner or not any(each.owner == fingerprint(owner) for each in busy), both("app.one_training"))

    def _make_room(self) -> None:
        """Remove what came to no end, the oldest first, until a new one has a place.

        Raises:
            UserError: When what is left are models, or the disk is full.
        """
        free = free_bytes(self.folder)
        require(free is None or free >= FREE, both("app.disk_full", megabytes=round(FREE / 1e6)))
        records = sorted(self._beside("").glob(f"*/{RECORD}"), key=lambda path: path.stat().st_mtime)
        too_many = len(records) - self.most + 1
        if too_many <= 0:
            return
        trainings = [self._found(f"{FOLDER}/{path.parent.name}") for path in records]
        for states in (("stopped", "failed"), ("paused",)):
            for training in trainings:
                if too_many > 0 and training is not None and training.state in states:
                    del self._trainings[training.name]
                    shutil.rmtree(training.folder, ignore_errors=True)
                    shutil.rmtree(training.beside, ignore_errors=True)
                    too_many -= 1
        require(too_many <= 0, both("app.models_full", most=self.most, folder=self._from_home(self.folder)))


def _part_of_a_name(title: str) -> str:
    """Return what of a title may be part of a folder's name and of an address.

    >>> _part_of_a_name("Capitu da Ana (2)!")
    'capitu-da-ana-2'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:TITLE].strip("-")


def _belongs(path: Path) -> bool:
    """Whether a file of the run folder goes into the archive."""
    return path.parts[0] != "checkpoints" and not any(part.startswith(".") for part in path.parts)
