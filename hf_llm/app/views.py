"""Pieces of HTML that Python writes: tokens, heat maps, bars, tables, code. All text in them is escaped here.

They are strings for `gr.HTML(value=…)` in its default template. A user's text never enters an `html_template`, where
Gradio would run `${…}` in it. A view has its colours from style.css, so that it follows the theme, and its numbers as
text, so that a screen reader and a test can read them.

What can be chosen is a `<button data-choose="…">`; `selectable` in components.py tells Python which one was pressed.
"""

import base64
import csv
import io
import json
from collections.abc import Sequence
from html import escape

from hf_llm.app.texts import Language, text


def number(value: float, lang: Language, digits: int = 3) -> str:
    """Return a number as the language writes it: 0,125 in Portuguese."""
    shown = f"{value:.{digits}f}" if abs(value) >= 10**-digits or value == 0 else f"{value:.1e}"
    return shown if lang == "en" else shown.replace(".", ",")


def table(records: Sequence[dict], headings: dict[str, str], caption: str, lang: Language) -> str:
    """Return records as a table of the columns in `headings`, {key: heading}, with a caption."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings.values())
    rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(record.get(key), lang)}</td>" for key in headings) + "</tr>" for record in records
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="data">'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value, lang: Language) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return number(value, lang)
    if isinstance(value, int) and value >= 10_000:
        return f"{value:,}" if lang == "en" else f"{value:,}".replace(",", ".")
    return escape(str(value))


def downloads(name: str, records: Sequence[dict], lang: Language) -> str:
    """Return links that save the records as CSV and as JSON; the data lies in the page itself."""
    rows = io.StringIO()
    if records:
        writer = csv.DictWriter(rows, list(records[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(records)
    links = "".join(
        f'<a download="{escape(name)}.{kind}" href="data:{mime};base64,{_base64(content)}">'
        f"{escape(text('common.save_as', lang, kind=kind.upper()))}</a> "
        for kind, mime, content in (
            ("csv", "text/csv", rows.getvalue()),
            ("json", "application/json", json.dumps(list(records), ensure_ascii=False)),
        )
    )
    return f'<p class="downloads">{links}</p>'


def _base64(content: str) -> str:
    return base64.b64encode(content.encode("utf-8")).decode("ascii")


def behind(name: str, records: Sequence[dict], headings: dict[str, str], caption: str, lang: Language) -> str:
    """Return what stands behind a figure, folded: its data as a table, and the links that save it."""
    return (
        f"<details><summary>{escape(text('common.data_behind', lang))}</summary>"
        f"{table(records, headings, caption, lang)}{downloads(name, records, lang)}</details>"
    )


def code(source: str, lang: Language, caption_key: str = "common.call") -> str:
    """Return source code to be read and copied."""
    return (
        f'<figure class="code"><figcaption>{escape(text(caption_key, lang))}</figcaption>'
        f'<pre tabindex="0"><code>{escape(source)}</code></pre></figure>'
    )


def shortened(words: str, most: int = 200) -> str:
    """Return a reader's text as a line of code can hold it."""
    return words if len(words) <= most else words[:most] + "…"


def image(png: bytes, alternative: str, css: str = "") -> str:
    """Return a PNG as an `<img>` that holds it; `alternative` is empty where the text beside it says the same."""
    source = base64.b64encode(png).decode("ascii")
    return f'<img class="{css}" src="data:image/png;base64,{source}" alt="{escape(alternative)}">'


def message(sentence: str, kind: str = "note") -> str:
    """Return a sentence that a screen reader announces; kind is note, good or bad."""
    return f'<p class="message {kind}" role="status">{escape(sentence)}</p>'


def tokens(labels: Sequence[str], details: Sequence[str], chosen: int | None = None, shades=None) -> str:
    """Return tokens as a row of buttons that wraps; `data-choose` is the place, from 0.

    Args:
        labels: The text of each token, white space visible.
        details: What stands below each (its id, its bytes); may hold several lines.
        chosen: The place of the pressed button.
        shades: A number from 0 to 1 for each token, or None for colours that tell neighbours apart.
    """
    items = []
    for place, (label, detail) in enumerate(zip(labels, details, strict=True)):
        shade = f'style="--shade:{shades[place]:.3f}"' if shades is not None else f'data-colour="{place % 6}"'
        pressed = "true" if place == chosen else "false"
        lines = "".join(f"<small>{escape(line)}</small>" for line in detail.split("\n") if line)
        items.append(
            f'<li><button type="button" class="token" data-choose="{place}" aria-pressed="{pressed}" {shade}>'
            f"<bdi>{escape(label)}</bdi>{lines}</button></li>"
        )
    return f'<ol class="tokens" data-arrows>{"".join(items)}</ol>'


def heat_map(
    values: Sequence[Sequence[float | None]], rows: Sequence[str], columns: Sequence[str], caption: str,
    lang: Language, chosen: tuple[int, int] | None = None, largest: float | None = None, numbers: bool = True,
) -> str:  # fmt: skip
    """Return a matrix as a table whose cells are shaded buttons; `data-choose` is "row,column".

    Args:
        values: Numbers, shape (rows, columns); None leaves a cell empty. Negative ones take the second colour.
        rows, columns: Their names.
        caption: What it shows.
        chosen: Row and column of the pressed cell.
        largest: The absolute value that gets the full colour; by default the greatest in `values`.
        numbers: Whether the cells show their numbers; a screen reader reads them in any case.
    """
    known = [abs(value) for row in values for value in row if value is not None]
    scale = largest or max(known, default=1.0) or 1.0
    head = "".join(f'<th scope="col"><bdi>{escape(name)}</bdi></th>' for name in columns)
    body = []
    for r, (name, row) in enumerate(zip(rows, values, strict=True)):
        cells = [
            "<td></td>"
            if value is None
            else f'<td><button type="button" data-choose="{r},{c}" aria-pressed="{str((r, c) == chosen).lower()}"'
            f' class="cell{" minus" if value < 0 else ""}" style="--shade:{min(1, abs(value) / scale):.3f}">'
            f"<span>{number(value, lang, 2)}</span></button></td>"
            for c, value in enumerate(row)
        ]
        body.append(f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>{"".join(cells)}</tr>')
    kind = "heat" if numbers else "heat small"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="{kind}" data-arrows><caption>{escape(caption)}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def bars(
    names: Sequence[str], values: Sequence[float], caption: str, lang: Language, digits: int = 3,
    largest: float | None = None,
) -> str:  # fmt: skip
    """Return names with a bar and a number each; the longest bar is for `largest`, by default the greatest value."""
    scale = largest or max((abs(value) for value in values), default=1.0) or 1.0
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>'
        f'<td><span class="bar{" minus" if value < 0 else ""}" style="--share:{abs(value) / scale:.4f}"></span></td>'
        f"<td>{number(value, lang, digits)}</td></tr>"
        for name, value in zip(names, values, strict=True)
    )
    return f'<table class="bars"><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>'
