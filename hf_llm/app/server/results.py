"""Results of experiments as the app reads them: the committed ones under results/, and those that it just made."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import UserError
from hf_llm.texts import Language, both


@dataclass(frozen=True)
class SavedResult:
    """A folder that `discuss.py` wrote.

    Args:
        folder: Holds result.json, report.<language>.md, figures/<name>.<language>.png and tables/<name>.csv.
        values: What result.json says; texts are {"pt-BR": …, "en": …}.
    """

    folder: Path
    values: dict

    def report(self, lang: Language) -> str:
        """Return the report in Markdown."""
        return (self.folder / f"report.{lang}.md").read_text(encoding="utf-8")

    def figure(self, name: str, lang: Language) -> bytes | None:
        """Return a figure as PNG; None where the file is missing."""
        try:
            return (self.folder / "figures" / f"{name}.{lang}.png").read_bytes()
        except FileNotFoundError:
            return None

    def table(self, name: str) -> str:
        """Return a table as CSV; empty where the file is missing."""
        try:
            return (self.folder / "tables" / f"{name}.csv").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def rows(self, name: str) -> list[dict]:
        """Return the rows of a table; what looks like a number is one."""
        return [
            {column: _number(cell) for column, cell in row.items()}
            for row in csv.DictReader(self.table(name).splitlines())
        ]


def read_result(folder: Path) -> SavedResult | None:
    """Return the result in `folder`, None where there is none.

    Raises:
        UserError: When it is damaged.
    """
    try:
        values = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return SavedResult(folder, {**values, "answer": values["answer"]})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(both("experiment.damaged", folder=folder.as_posix())) from error


def committed(results: str, name: str) -> SavedResult | None:
    """Return the full result of the experiment called `name`, one of `EXPERIMENTS`; errors as in `read_result`."""
    return read_result(Path(results) / name)


def _number(cell: str):
    try:
        return float(cell)
    except ValueError:
        return cell
