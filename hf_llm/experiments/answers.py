"""The lecture's seven questions on one page, each with the answer of its report: docs/answers, from results/."""

import json
import os
from pathlib import Path

from hf_llm.config import UserError, flag, typed
from hf_llm.runs.atomic import disk_errors, make_folder, write_text
from hf_llm.texts import LANGUAGES, Language, text

SEVEN = {  # number in the lecture: the experiment that answers it
    "L31": "relu-depth",
    "L32": "transformer-dropout",
    "L33": "sgd-limits",
    "L43": "pretrained-vs-finetuned",
    "L44": "attention-scaling",
    "L45": "tfidf-vs-llm",
    "L46": "llm-judge",
}
PAGES: dict[Language, str] = {"pt-BR": "answers.pt-BR.md", "en": "answers.md"}


def write_answers(results: Path, folder: Path) -> None:
    """Write the page in both languages into `folder`.

    Raises:
        UserError: When a result is missing, or the folder cannot be written.
    """
    with disk_errors(f"the answers in {folder}"):
        make_folder(folder)
        for lang in LANGUAGES:
            write_text(folder / PAGES[lang], answers_page(results, folder, lang))


def answers_page(results: Path, folder: Path, lang: Language) -> str:
    """Return the page in Markdown; `results` holds a folder for each experiment, `folder` will hold the page."""
    (other,) = (page for language, page in PAGES.items() if language != lang)
    parts = [f"# {text('frame.answers.title', lang)}", f"[{text('frame.answers.other', lang)}]({other})",
             text("frame.answers.intro", lang)]  # fmt: skip
    for number, name in SEVEN.items():
        try:
            result = json.loads((results / name / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            again = typed("hf-llm", "discuss", name, *flag("output_dir", results / name))
            raise UserError(f"{results / name} holds no result; measure it: {again}") from None
        report = Path(os.path.relpath(results / name / f"report.{lang}.md", folder)).as_posix()
        live = f"http://127.0.0.1:7860/discussion?question={number}&lang={lang}"
        parts += [
            f"## {number} · {result['question'][lang]}",
            result["answer"][lang],
            text("frame.answers.links", lang, report=report, live=live),
        ]
    return "\n\n".join(parts) + "\n"
