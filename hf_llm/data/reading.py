"""What was read, and what was not and why: counted while it happens, said by every command that reads text.

>>> reading = Reading(files=2, documents=1, bytes=2048)
>>> reading.leave_out("hidden", ".git")
>>> print(reading)
read        2 files, 1 document, 2,048 bytes
left out    1 hidden (.git)
"""

from dataclasses import dataclass, field
from pathlib import Path

from hf_llm.config import quoted

REASONS = {
    "hidden": "hidden",
    "closed": "not readable by this user",
    "broken": "linked to nothing",
    "special": "neither a file nor a folder",
    "circle": "linked back to a folder around it",
    "twice": "named or linked twice",
    "kind": "of another kind",
    "split": "not in the split of the data set",
    "max_bytes": "behind max_bytes",
    "empty": "empty",
    "duplicate": "said before",
}
SHOWN = 3  # names of a reason


@dataclass
class Reading:
    """Counts, and what was left out: {reason of `REASONS`: how many}, with the first names of each."""

    files: int | None = 0  # None: not known, of what the Hub streams
    documents: int = 0
    bytes: int = 0  # of the documents, in UTF-8
    left_out: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)  # the first few of what was left out, by reason
    encodings: dict[str, int] = field(default_factory=dict)  # of files that were not UTF-8
    unit: str = "document"

    def leave_out(self, reason: str, name: str | Path = "", count: int = 1) -> None:
        """Count `count` things that are not read for this reason, one of which is called `name`."""
        if count:
            self.left_out[reason] = self.left_out.get(reason, 0) + count
            if name and len(self.names.setdefault(reason, [])) < SHOWN:
                self.names[reason].append(str(name))

    def add_file(self, encoding: str = "utf-8") -> None:
        """Count a file that was read."""
        self.files += 1
        if encoding != "utf-8":
            self.encodings[encoding] = self.encodings.get(encoding, 0) + 1

    def facts(self) -> dict:
        """Return the counts, ready for JSON; without names, which are paths of this machine."""
        more = {name: value for name in ("left_out", "encodings") if (value := getattr(self, name))}
        return {"files": self.files, "documents": self.documents, "bytes": self.bytes, **more}

    def __str__(self) -> str:
        counts = [_count(self.documents, self.unit), _count(self.bytes, "byte")]
        if self.files is not None:
            counts.insert(0, _count(self.files, "file"))
        lines = [f"read        {', '.join(counts)}"]
        if self.encodings:
            decoded = (f"{_count(count, 'file')} in {name.upper()}" for name, count in self.encodings.items())
            lines.append(f"decoded     {', '.join(decoded)}")
        if self.left_out:
            lines.append(f"left out    {', '.join(self._left_out(reason) for reason in self.left_out)}")
        return "\n".join(lines)

    def _left_out(self, reason: str) -> str:
        count, names = self.left_out[reason], self.names.get(reason, [])
        more = ["…"] if names and count > len(names) else []
        shown = f" ({', '.join([*(quoted(name) for name in names), *more])})" if names else ""
        return f"{count:,} {REASONS[reason]}{shown}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
