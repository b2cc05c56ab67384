"""The trainings of the page: how many at once and for how long, where they lie, and finding them again.

    trainings.start("gpt2", ["pretrain", "--corpus", "{text.txt}"], {"text.txt": "…"})

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
import zipfile
from pathlib import Path

from hf_llm.app.server.training_process import RECORD, Training
from hf_llm.config import UserError, require
from hf_llm.texts import both

KEPT = 20  # trainings in the page; the oldest go
FOLDER = "page"  # below the runs folder
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look like another
AT_EXIT = 10.0  # seconds for all processes to save


class Trainings:
    """All trainings of the page.

    Args:
        runs: The app's folder of run folders; new ones lie in `page/` below it.
        at_once: How many may run at the same time.
        seconds: How long each may run.
    """

    def __init__(self, runs: Path, at_once: int, seconds: float):
        self.home, self.at_once, self.seconds = Path(runs).absolute().parent, at_once, seconds
        self.folder = Path(runs).absolute() / FOLDER
        self._trainings: dict[str, Training] = {}
        self._lock = threading.Lock()
        self._archives = tempfile.TemporaryDirectory(prefix="hf_llm-")
        atexit.register(self.shutdown)

    def start(self, kind: str, command: list[str], files: dict[str, str] | None = None) -> Training:
        """Start a command with `--output_dir` set to a new run folder.

        Args:
            kind: What the run is called. Some letters are added that nobody guesses: only who knows the name of a
                training can pause or stop it.
            command: Its name and its flags, without `--output_dir`. The argument `{name}` stands for a file of `files`.
            files: {name: content} of texts that the command reads.

        Raises:
            UserError: When as many as may are running.
        """
        with self._lock:
            self._require_free()
            name = f"{kind}-{''.join(secrets.choice(LETTERS) for _ in range(6))}"
            beside = self._beside(name)
            beside.mkdir(parents=True)
            paths = {}
            for file, content in (files or {}).items():
                (beside / file).write_text(content, encoding="utf-8", newline="")
                paths[f"{{{file}}}"] = self._from_home(beside / file)
            command = [paths.get(argument, argument) for argument in command]
            folder = self.folder / name
            command += ["--output_dir", self._from_home(folder)]
            training = Training(f"{FOLDER}/{name}", folder, command, self.home, beside, self.seconds)
            self._trainings[training.name] = training
            training.start()
            self._forget_oldest()
        return training

    def resume(self, training: Training) -> None:
        """Go on with a paused training, or with one that failed for a reason that is gone.

        Raises:
            UserError: When as many as may are running, or its time is over.
        """
        with self._lock:
            if training.state in ("paused", "failed"):
                self._require_free()
                if not training.left:
                    raise UserError(both("app.training_time_over", seconds=round(training.limit)))
                training.start()

    def get(self, name: str) -> Training | None:
        """Return the training called `name`, one of an earlier process of the app too; None where there is none."""
        with self._lock:
            if name not in self._trainings and re.fullmatch(rf"{FOLDER}/[a-z0-9-]+", name):
                short = name.removeprefix(f"{FOLDER}/")
                found = Training.found(name, self.folder / short, self.home, self._beside(short), self.seconds)
                if found is not None:
                    self._trainings[name] = found
            return self._trainings.get(name)

    def archive(self, training: Training) -> Path | None:
        """Return a zip of its run folder without the checkpoints; None while it runs, and where there is nothing in it."""
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

    def _from_home(self, path: Path) -> str:
        """Return the path as the process sees it, which runs where the folder of runs lies."""
        return path.relative_to(self.home).as_posix()

    def _beside(self, name: str) -> Path:
        return self.folder / ".inputs" / name

    def _require_free(self) -> None:
        running = sum(training.state == "running" for training in self._trainings.values())
        require(running < self.at_once, both("app.trainings_full", at_once=self.at_once))

    def _forget_oldest(self) -> None:
        records = sorted(self._beside("").glob(f"*/{RECORD}"), key=lambda path: path.stat().st_mtime)
        for path in records[: max(0, len(records) - KEPT)]:
            name = path.parent.name
            training = self._trainings.get(f"{FOLDER}/{name}")
            if training is None or training.state != "running":
                self._trainings.pop(f"{FOLDER}/{name}", None)
                shutil.rmtree(self.folder / name, ignore_errors=True)
                shutil.rmtree(path.parent, ignore_errors=True)


def _belongs(path: Path) -> bool:
    """Whether a file of the run folder goes into the archive."""
    return path.parts[0] != "checkpoints" and not any(part.startswith(".") for part in path.parts)
