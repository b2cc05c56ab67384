"""Results of experiments as the app reads them: the committed ones under results/, and those that it just made."""

import json
from dataclasses import dataclass
from pathlib import Path

from hf_llm.app.texts import Language, text
from hf_llm.config import UserError

FOLDERS = {"dropout": "dropout-study"}  # of the results that do not bear the name of their experiment


@dataclass(frozen=True)
class SavedResult:
    """A folder that `hf_llm.experiments.report.write_result` wrote.

    Args:
        folder: Holds result.json, report.<language>.md and figures/<chart>.<language>.png.
        values: What result.json says; words are {"pt-BR": …, "en": …}.
    """

    folder: Path
    values: dict

    def report(self, lang: Language) -> str:
        """Return the report in Markdown."""
        return (self.folder / f"report.{lang}.md").read_text(encoding="utf-8")

    def figure(self, chart: str, lang: Language) -> bytes | None:
        """Return a figure as PNG; None where the file is missing."""
        try:
            return (self.folder / "figures" / f"{chart}.{lang}.png").read_bytes()
        except FileNotFoundError:
            return None


def read_result(folder: Path, lang: Language) -> SavedResult | None:
    """Return the result in `folder`, None where there is none.

    Raises:
        UserError: When it is damaged; the sentence is in `lang`.
    """
    try:
        return SavedResult(folder, json.loads((folder / "result.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(text("study.damaged", lang, folder=folder.as_posix())) from error


def committed(results: str, name: str, lang: Language) -> SavedResult | None:
    """Return the full result of the experiment called `name`, one of `EXPERIMENTS`; errors as in `read_result`."""
    return read_result(Path(results) / FOLDERS.get(name, name), lang)
