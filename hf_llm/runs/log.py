"""log.jsonl: one JSON object per logged step.

A checkpoint holds a mark of the log, its length and hash. Resuming cuts the log back to the mark, so that a run
that was killed ends with the lines of one that was not.
"""

import hashlib
import json
import logging
from pathlib import Path

from hf_llm.runs.atomic import disk_errors, sync_file, write_bytes

logger = logging.getLogger(__name__)

# what a repetition need not give again
TIMES = ("tokens_per_second", "images_per_second", "messages_per_second", "seconds")
EMPTY = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}  # the mark of a log without lines


class RunLog:
    """The log of a run.

    >>> log = RunLog(folder / "log.jsonl")
    >>> log.append({"step": 10, "loss": 5.1})
    """

    def __init__(self, path: Path):
        self.path = path

    def append(self, record: dict) -> None:
        """Add a line.

        Raises:
            UserError: When the disk is full or not writable.
        """
        with disk_errors(f"the log {self.path}"), open(self.path, "a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def mark(self) -> dict:
        """Return the mark of the log as it is now, which is then on the disk: no checkpoint knows more than the log.

        Raises:
            UserError: When the disk is full or not writable.
        """
        with disk_errors(f"the log {self.path}"):
            self.path.touch()
            sync_file(self.path)
            content = self.path.read_bytes()
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def cut(self, mark: dict) -> None:
        """Forget what came after `mark`. A log that lost lines before it gets a warning and keeps what it has."""
        content = self.path.read_bytes() if self.path.exists() else b""
        kept = content[: mark["bytes"]]
        if hashlib.sha256(kept).hexdigest() != mark["sha256"]:
            logger.warning("%s was changed or cut since the checkpoint was saved; its curve may have gaps", self.path)
            kept = kept[: kept.rfind(b"\n") + 1]
        with disk_errors(f"the log {self.path}"):
            write_bytes(self.path, kept)

    def records(self) -> list[dict]:
        """Return the records. A last line that is only half written, by a kill or a run that goes on, is left out."""
        records = []
        # not splitlines(): a sample may hold U+2028 or U+0085, which JSON leaves as they are
        lines = self.path.read_bytes().split(b"\n")[:-1] if self.path.exists() else []
        for number, line in enumerate(lines, start=1):
            try:
                records.append(json.loads(line))
            except ValueError:
                logger.warning("line %d of %s is not JSON and was left out", number, self.path)
        return records
