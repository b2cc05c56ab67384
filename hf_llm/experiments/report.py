"""A result as a folder: result.json, figures/<name>.<language>.png, report.pt-BR.md and report.en.md."""

import math
from dataclasses import is_dataclass
from pathlib import Path

from jinja2 import Environment

from hf_llm.experiments.result import LANGUAGES, Finding, Language, Result, Table, Words
from hf_llm.experiments.words import findings_table, markdown_table, with_decimal_marks
from hf_llm.runs.atomic import disk_errors, make_folder, write_json, write_text
from hf_llm.runs.manifest import command_line, commit, environment

LONG = 30  # rows; a longer table is folded in the report
TEMPLATES = {language: Path(__file__).with_name(f"report.{language}.md") for language in LANGUAGES}


def write_result(result: Result, name: str, folder: Path) -> None:
    """Write everything that `result` holds into `folder`.

    Args:
        result: What an experiment returned.
        name: The experiment's name.
        folder: Created where it is missing; files of an earlier result are replaced.

    Raises:
        UserError: When the disk is full or not writable.
    """
    origin = {"experiment": name, "command": command_line(), "commit": commit(), "environment": environment()}
    with disk_errors(f"the result in {folder}"):
        make_folder(folder / "figures")
        for chart_name, chart in result.charts.items():
            for language in LANGUAGES:
                figure = with_decimal_marks(chart.draw(language), language)
                figure.savefig(folder / "figures" / f"{chart_name}.{language}.png", dpi=130, bbox_inches="tight")
        for language in LANGUAGES:
            write_text(folder / f"report.{language}.md", report(result, origin, language))
        write_json(folder / "result.json", {**origin, **result_as_dict(result)})


def result_as_dict(result: Result) -> dict:
    """Return the result as JSON-ready values: words by language, charts by caption, no infinite bounds."""
    values = {
        "title": result.title,
        "introduction": result.introduction,
        "lecture": result.lecture,
        "quick": result.quick,
        "seeds": result.seeds,
        "settings": result.settings,
        "findings": result.findings,
        "tables": result.tables,
        "charts": {name: chart.caption for name, chart in result.charts.items()},
        "caveats": result.caveats,
        "timings": {"tables": result.timings.tables, "findings": result.timings.findings},
    }
    return _plain(values)


def report(result: Result, origin: dict, language: Language) -> str:
    """Return the report in Markdown."""
    template = Environment(trim_blocks=True, lstrip_blocks=True).from_string(
        TEMPLATES[language].read_text(encoding="utf-8")
    )

    def shown(tables: dict[str, Table]) -> list[dict]:
        return [
            {"caption": t.caption[language], "rows": markdown_table(t, language), "long": len(t.rows) > LONG}
            for t in tables.values()
        ]

    versions = origin["environment"]["versions"]
    return template.render(
        title=result.title[language],
        introduction=result.introduction[language],
        quick=result.quick,
        findings=findings_table(result.findings, language),
        charts=[
            {"caption": chart.caption[language], "file": f"{name}.{language}.png"}
            for name, chart in result.charts.items()
        ],
        tables=shown(result.tables),
        timings=shown(result.timings.tables),
        timing_findings=findings_table(result.timings.findings, language) if result.timings.findings else "",
        caveats=[caveat[language] for caveat in result.caveats],
        command=origin["command"],
        seeds=", ".join(map(str, result.seeds)),
        commit=origin["commit"] or "unknown",
        versions=", ".join(f"{package} {number}" for package, number in versions.items() if number),
        lecture=", ".join(result.lecture),
    )


def _plain(value):
    """Return `value` with dataclasses as dicts and floats that JSON can hold."""
    match value:
        case Words():
            return value.as_dict()
        case Finding() | Table():
            return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case _ if is_dataclass(value):
            raise TypeError(f"{type(value).__name__} does not belong into a result")
        case _:
            return value
