"""A result of an experiment as HTML: findings with their verdict, figures, the tables they are drawn from, limits.

The figures lie in the page itself as data, because Gradio serves no file of the checkout, and need not.
"""

import base64
import json
import re
from collections.abc import Sequence
from html import escape

from hf_llm.app.results import SavedResult
from hf_llm.app.texts import Language, text
from hf_llm.app.views import code, downloads, image, message, table

MARKS = {"yes": "✓", "no": "✗", "unclear": "?"}


def introduction(result: SavedResult, lang: Language) -> str:
    """Return title and introduction in Markdown: the project's own words."""
    return f"## {result.values['title'][lang]}\n\n{result.values['introduction'][lang]}"


def report(result: SavedResult, lang: Language) -> str:
    """Return everything that was found, with its numbers to save."""
    values = result.values
    name = values["experiment"]
    parts = [
        message(text("study.quick_note", lang), "bad") if values["quick"] else "",
        findings(values["findings"], name, lang),
        _heading("study.figures", lang),
        *(figure(result, chart, lang) for chart in values["charts"]),
        _heading("study.tables", lang),
        *(_folded(f"{name}-{key}", records, lang) for key, records in values["tables"].items()),
    ]
    timings = values["timings"]
    if timings["tables"] or timings["findings"]:
        parts += [
            _heading("study.timings", lang), message(text("study.other_machine", lang)),
            findings(timings["findings"], f"{name}-timings", lang) if timings["findings"] else "",
            *(_folded(f"{name}-{key}", records, lang) for key, records in timings["tables"].items()),
        ]  # fmt: skip
    parts += [
        _heading("study.limits", lang),
        _list([caveat[lang] for caveat in values["caveats"]]),
        _origin(result, lang),
    ]
    return "".join(parts)


def findings(found: Sequence[dict], name: str, lang: Language) -> str:
    """Return claims with what was measured, the value, its interval and whether that supports the claim."""
    from hf_llm.experiments.words import SUPPORTED, shown, shown_interval

    records = [
        {
            "supported": f"{MARKS[finding['supported']]} {SUPPORTED[finding['supported']][lang]}",
            "claim": finding["claim"][lang],
            "measure": finding["measure"][lang],
            "value": shown(finding["value"], lang),
            "interval": shown_interval(finding["interval"], lang),
        }
        for finding in found
    ]
    raw = [
        {**record, "supported": finding["supported"], "value": finding["value"], "interval": finding["interval"]}
        for record, finding in zip(records, found, strict=True)
    ]
    verdicts = [finding["supported"] for finding in found]
    counts = {verdict: verdicts.count(verdict) for verdict in MARKS}
    headings = {key: text(f"study.{key}", lang) for key in ("supported", "claim", "measure", "value", "interval")}
    return (
        table(records, headings, text("study.found", lang, count=len(found), **counts), lang)
        + f"<p>{escape(text('study.reading', lang))}</p>"
        + downloads(f"{name}-findings", raw, lang)
    )


def figure(result: SavedResult, chart: str, lang: Language) -> str:
    """Return one figure with its caption, or a sentence where its file is missing."""
    caption = result.values["charts"][chart][lang]
    png = result.figure(chart, lang)
    if png is None:
        return message(text("study.no_figure", lang, caption=caption))
    return f"<figure>{image(png, caption)}<figcaption>{escape(caption)}</figcaption></figure>"


def _folded(name: str, saved: dict, lang: Language) -> str:
    """Return a table of a result, folded, with the links that save it."""
    from hf_llm.experiments.words import shown

    headings = {key: heading[lang] for key, heading in saved["headings"].items()}
    rows = [{key: _in_language(row.get(key), lang) for key in headings} for row in saved["rows"]]
    readable = [{key: shown(value, lang) for key, value in row.items()} for row in rows]
    caption = saved["caption"][lang]
    return (
        f"<details><summary>{escape(caption)}</summary>"
        f"{table(readable, headings, caption, lang)}{downloads(name, rows, lang)}</details>"
    )


def _in_language(value, lang: Language):
    """Return a value of a row; a word to be read lies there in both languages."""
    return value[lang] if isinstance(value, dict) and lang in value else value


def _origin(result: SavedResult, lang: Language) -> str:
    """Return the command that makes the result again, what it was made with, and all its data to save."""
    values = result.values
    versions = values["environment"]["versions"]
    whole = base64.b64encode(json.dumps(values, ensure_ascii=False).encode("utf-8")).decode("ascii")
    made = text(
        "study.made", lang, seeds=", ".join(map(str, values["seeds"])), commit=(values["commit"] or "?")[:12],
        versions=", ".join(f"{package} {number}" for package, number in versions.items() if number),
    )  # fmt: skip
    return (
        code(values["command"], lang, "common.command")
        + f"<p>{escape(made)}</p>"
        + f'<p class="downloads"><a download="{escape(values["experiment"])}.json" '
        + f'href="data:application/json;base64,{whole}">{escape(text("study.save_all", lang))}</a></p>'
    )


def _heading(key: str, lang: Language) -> str:
    return f"<h3>{escape(text(key, lang))}</h3>"


def _list(sentences: Sequence[str]) -> str:
    # the one mark-up in a caveat is the letter of a variable, *p*
    items = (re.sub(r"\*(\w+)\*", r"<em>\1</em>", escape(sentence)) for sentence in sentences)
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"
