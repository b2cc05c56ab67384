"""log.jsonl: one JSON object a logged step."""

import json
import os
from pathlib import Path

TIMES = ("tokens_per_second", "images_per_second", "seconds")  # what a repetition need not give again


class RunLog:
    """Appends records to `path`; a line is on the disk once `sync()` returned.

    >>> log = RunLog(folder / "log.jsonl")
    >>> log.append({"step": 10, "loss": 5.1})
    """

    def __init__(self, path: Path):
        self.path = path

    def append(self, record: dict) -> None:
        with open(self.path, "a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def sync(self) -> None:
        """Called before a checkpoint is published, so that no checkpoint knows more than the log."""
        with open(self.path, "a", encoding="utf-8") as file:
            os.fsync(file.fileno())

    def cut(self, step: int) -> None:
        """Forget what came after `step`, a half-written last line included."""
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in self.records(step))
        temporary = self.path.with_name(".log.jsonl.tmp")
        temporary.write_text(lines, encoding="utf-8", newline="\n")
        os.replace(temporary, self.path)

    def records(self, last_step: int | None = None) -> list[dict]:
        """Return the whole records, up to `last_step` where it is given."""
        records = []
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            try:
                record = json.loads(line)
            except ValueError:
                break  # a kill in the middle of a line
            if last_step is None or record["step"] <= last_step:
                records.append(record)
        return records
