"""A result as a folder: result.json, report.<language>.md, figures/<name>.<language>.png, tables/<name>.csv."""

import json
import math
import os
import shutil
from pathlib import Path

import pandas as pd
from jinja2 import Environment
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from hf_llm.config import UserError, flag, typed, without_droppings
from hf_llm.experiments.frame.findings import Finding
from hf_llm.experiments.frame.lab import Lab, Say
from hf_llm.experiments.frame.result import Result, judge
from hf_llm.experiments.frame.study import Study, Tables
from hf_llm.runs.atomic import disk_errors, file_sha256, make_folder, write_json, write_text
from hf_llm.runs.manifest import command_for_others, command_line, commit, environment
from hf_llm.texts import LANGUAGES, Language, number

DOCS = Path(__file__).parents[3] / "docs"  # of the checkout; an installed package has none
TEMPLATE = Path(__file__).with_name("report.md")


def origin_now() -> dict:
    """Return what a result is made with: the command, the commit of the source, versions and machine."""
    return {"command": command_for_others(command_line()), "commit": commit(), "environment": environment()}


def write_measured(lab: Lab, study: Study, tables: Tables, folder: Path) -> None:
    """Write what was measured before anything is made of it: a mistake in a text then costs no measurement.

    Raises:
        UserError: When the disk is full or not writable.
    """
    made = {"experiment": lab.name, **origin_now(), "quick": study.quick, "seeds": list(study.seeds)}
    with disk_errors(f"the result in {folder}"):
        make_folder(folder / "tables")
        write_tables(tables, folder / "tables")
        write_json(folder / "result.json", made | {"settings": lab.settings(study)})


def write_result(lab: Lab, folder: Path) -> Result:
    """Judge, draw and write the result of what was measured, which lies in `folder`; an earlier one there is replaced.

    Raises:
        UserError: When `folder` holds nothing measured, or the disk is full or not writable.
    """
    try:
        saved = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        tables = {path.stem: read_table(path) for path in without_droppings((folder / "tables").glob("*.csv"))}
        settings, quick, seeds = saved["settings"], saved["quick"], saved["seeds"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{folder} holds no whole result of {lab.name} ({error}); measure it: "
            + typed("hf-llm", "discuss", lab.name, *flag("output_dir", folder))
        ) from None
    result = judge(lab, tables, settings, quick, seeds)
    origin = {name: saved[name] for name in ("command", "commit", "environment")}
    with disk_errors(f"the result in {folder}"):
        make_folder(folder / "figures")
        write_figures(result, folder / "figures")
        for lang in LANGUAGES:
            write_text(folder / f"report.{lang}.md", report(result, origin, lang, folder))
        write_json(folder / "result.json", as_dict(result, origin, folder / "tables"))
    return result


def write_tables(tables: Tables, folder: Path) -> None:
    """Write each table as CSV with all digits of its numbers; files of tables that are gone are removed."""
    for path in folder.glob("*.csv"):
        if path.stem not in tables:
            path.unlink()
    for name, table in tables.items():
        write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))


def read_table(path: Path) -> pd.DataFrame:
    """Return a table as `write_tables` wrote it, bit for bit."""
    return pd.read_csv(path, float_precision="round_trip", keep_default_na=False, na_values=[""])


def write_figures(result: Result, folder: Path) -> None:
    """Draw every figure in both languages."""
    shutil.rmtree(folder)
    make_folder(folder)
    for name, draw in result.lab.figures.items():
        for lang in LANGUAGES:
            figure = with_decimal_commas(draw(result.tables, Say(result.lab.folder, lang)), lang)
            figure.savefig(folder / f"{name}.{lang}.png", dpi=130, bbox_inches="tight")


def as_dict(result: Result, origin: dict, tables: Path) -> dict:
    """Return what result.json holds; a time or a memory stands under `timings` alone."""
    timed = result.lab.timed
    files = {
        name: {"rows": len(table), "sha256": file_sha256(tables / f"{name}.csv")}
        for name, table in result.tables.items()
    }
    found = {finding.key: _finding(result, finding) for finding in result.findings}
    times = {finding.key for finding in result.findings if finding.timed}
    return {
        "experiment": result.lab.name, **origin, "lecture": list(result.lab.lecture), "quick": result.quick,
        "seeds": result.seeds, "settings": result.settings,
        "question": {lang: Say(result.lab.folder, lang)("question") for lang in LANGUAGES},
        "findings": [found[key] for key in found if key not in times],
        "figures": {name: _caption(result, name) for name in result.lab.figures},
        "tables": {name: file for name, file in files.items() if name not in timed},
        "limits": [dict(zip(LANGUAGES, pair)) for pair in zip(*(result.listed("limits", lang) for lang in LANGUAGES))],
        "timings": {
            "tables": {name: file for name, file in files.items() if name in timed},
            "findings": [found[key] for key in found if key in times],
        },
        # the answer may cite times
        "answer": {lang: result.answer(lang) for lang in LANGUAGES},
        "predictions": result.lab.predicted(result.findings), "shown": list(result.lab.shown),
    }  # fmt: skip


def report(result: Result, origin: dict, lang: Language, folder: Path) -> str:
    """Return the report in Markdown; `folder` is where it will lie, for its link to the terms."""
    lab, say = result.lab, Say(result.lab.folder, lang)
    template = Environment(trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    frame, number_shown = Say("frame", lang), len(lab.shown)
    figures = [{"caption": _caption(result, name)[lang], "file": f"{name}.{lang}.png"} for name in lab.figures]
    findings = [
        {"verdict": frame(f"verdicts.{finding.supported}"), "text": result.claim(finding, lang)}
        for finding in result.findings
    ]
    versions = origin["environment"]["versions"]
    return template.render(
        say=frame, question=say("question"), quick=result.quick, answer=result.answer(lang),
        figure=figures[0], figures=figures[1:], shown=findings[:number_shown], folded=findings[number_shown:],
        terms=frame("terms", docs=Path(os.path.relpath(DOCS, folder)).as_posix()) if DOCS.exists() else "",
        intervals=any(finding.interval for finding in result.findings),
        timed=any(finding.timed for finding in result.findings),
        summaries=[
            {"caption": say(f"summaries.{name}.caption"), "rows": markdown_table(name, table(result.tables), say)}
            for name, table in lab.summaries.items()
        ],
        tables=sorted(result.tables, key=lambda name: name in lab.timed),  # times last, as in result.json
        limits=result.listed("limits", lang), reading=result.listed("reading", lang), command=origin["command"],
        made=frame(
            "made", seeds=", ".join(map(str, result.seeds)), commit=(origin["commit"] or "?")[:12],
            versions=", ".join(f"{package} {version}" for package, version in versions.items() if version),
            lecture=", ".join(lab.lecture),
        ),
    )  # fmt: skip


def markdown_table(name: str, table: pd.DataFrame, say: Say) -> str:
    """Return a small table in Markdown; headings are `summaries.<name>.<column>`, texts of cells `names.<value>`."""
    headings = [say(f"summaries.{name}.{column}") for column in table.columns]
    rows = [
        [say(f"names.{cell}") if isinstance(cell, str) else number(cell, say.lang) for cell in row]
        for row in table.astype(object).itertuples(index=False)
    ]
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines)


def with_decimal_commas(figure: Figure, lang: Language) -> Figure:
    """Return the figure with decimal commas on its axes where the language has them."""
    if lang == "pt-BR":
        figure.draw_without_rendering()  # places the ticks
        for axes in figure.axes:
            for axis, set_limits in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
                texts = [text.get_text() for text in axis.get_ticklabels()]
                named = isinstance(axis.get_major_formatter(), FuncFormatter)  # by us, in the language already
                if not named and any("." in text for text in texts):
                    limits = tuple(axis.get_view_interval())
                    axis.set_ticks(axis.get_ticklocs(), [text.replace(".", ",") for text in texts])
                    set_limits(limits)  # naming a tick outside of them had moved them
    return figure


def _caption(result: Result, name: str) -> dict[Language, str]:
    return {lang: Say(result.lab.folder, lang)(f"figures.{name}.caption") for lang in LANGUAGES}


def _finding(result: Result, finding: Finding) -> dict:
    interval = finding.interval and [bound if math.isfinite(bound) else None for bound in finding.interval]
    return {
        "key": finding.key,
        "supported": finding.supported,
        "value": finding.value if math.isfinite(finding.value) else None,
        "interval": interval,
        "threshold": finding.threshold,
        "side": finding.side,
        "claim": {lang: result.claim(finding, lang) for lang in LANGUAGES},
    }
