"""Pieces of HTML that Python writes: tables, tokens, heat maps, bars, code. All text in them is escaped here.

They are strings for `gr.HTML(value=…)` in its default template. A user's text never enters an `html_template`, where
Gradio would run `${…}` in it. A view has its colours from style.css, so that it follows the theme, and its numbers as
text, so that a screen reader and a test can read them.

What can be chosen is a `<button data-choose="…">`; `Page.chosen` tells Python which one was clicked.
"""

import base64
import csv
import io
import json
from collections.abc import Sequence
from html import escape

from hf_llm.texts import Language, interval, number, text


def table(records: Sequence[dict], headings: dict[str, str], caption: str, lang: Language) -> str:
    """Return records as a table of the columns in `headings`, {key: heading}, with a caption."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings.values())
    rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(record.get(key), lang)}</td>" for key in headings) + "</tr>" for record in records
    )
    return scroll(
        f'<table class="data"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>",
        caption,
    )


def _cell(value, lang: Language) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return escape(interval(value, lang, ".4g"))
    return number(value, lang) if isinstance(value, int | float) else escape(str(value))


def scroll(drawn: str, caption: str) -> str:
    """Return something that may be wider than the page in a region that scrolls, also by keyboard."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">{drawn}</div>'


def downloads(name: str, records: Sequence[dict], lang: Language) -> str:
    """Return links that save the records as CSV and as JSON; the data lies in the page itself."""
    rows = io.StringIO()
    if records:
        writer = csv.DictWriter(rows, list(records[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(records)
    files = {"csv": rows.getvalue(), "json": json.dumps(list(records), ensure_ascii=False)}
    links = [
        download(f"{name}.{kind}", content, text("app.save_as", lang, kind=kind.upper()))
        for kind, content in files.items()
    ]
    return f'<p class="downloads">{" ".join(links)}</p>'


def download(file: str, content: str, label: str) -> str:
    """Return a link that saves `content` as a file; its kind is the ending of the name."""
    kind = {"csv": "text/csv", "json": "application/json"}[file.rpartition(".")[2]]
    data = base64.b64encode(content.encode("utf-8")).decode("ascii")
    return f'<a download="{escape(file)}" href="data:{kind};base64,{data}">{escape(label)}</a>'


def figure_data(
    name: str, records: Sequence[dict], headings: dict[str, str] | str, caption: str, lang: Language
) -> str:
    """Return the numbers of a figure, folded: as a table, and as links that save them.

    Args:
        name: Of the files.
        records: The numbers.
        headings: {column: heading}, or the key of texts that has one for each column.
        caption: What they are.
        lang: The reader's.
    """
    if isinstance(headings, str):
        headings = {column: text(f"{headings}.{column}", lang) for column in (records[0] if records else ())}
    return folded(
        text("app.figure_data", lang), table(records, headings, caption, lang) + downloads(name, records, lang)
    )


def folded(title: str, content: str, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>{content}</details>"


def code(source: str, lang: Language, caption: str = "app.call", opened: bool = False) -> str:
    """Return source code to be read and copied, folded unless `opened`; `caption` is a key."""
    written = f'<figure class="code"><pre tabindex="0"><code>{escape(source)}</code></pre></figure>'
    return folded(text(caption, lang), written, opened)


def shortened(text: str, most: int = 200) -> str:
    """Return a reader's text as a line of code can hold it."""
    return text if len(text) <= most else text[:most] + "…"


def image(png: bytes, alternative: str, css: str = "") -> str:
    """Return a PNG as an `<img>` that holds it; `alternative` is empty where the text beside it says the same."""
    source = base64.b64encode(png).decode("ascii")
    return f'<img class="{css}" src="data:image/png;base64,{source}" alt="{escape(alternative)}">'


def figure(drawn: str, caption: str, lang: Language) -> str:
    """Return a drawing with its caption, which a reader can save."""
    return savable(f"<figure><figcaption>{escape(caption)}</figcaption>{drawn}</figure>", lang)


def savable(drawn: str, lang: Language) -> str:
    """Return a figure with the buttons that save it as SVG and as PNG; save.js writes down what the browser shows."""
    buttons = "".join(
        f'<button type="button" data-save="{kind}" aria-label="{escape(text("app.save_as", lang, kind=kind.upper()))}">'
        f"{kind.upper()}</button>"
        for kind in ("svg", "png")
    )
    return f'<div class="savable">{drawn}<p class="saves">{buttons}</p></div>'


def message(sentence: str, kind: str = "note", announced: bool = True) -> str:
    """Return a sentence; kind is note, good or bad. A screen reader announces it, unless it changes all the time."""
    role = ' role="status"' if announced else ""
    return f'<p class="message {kind}"{role}>{escape(sentence)}</p>'


def paragraph(sentence: str) -> str:
    return f"<p>{escape(sentence)}</p>"


def tokens(labels: Sequence[str], details: Sequence[str] = (), chosen: int | None = None, shades=None) -> str:
    """Return tokens as a row of buttons that wraps; `data-choose` is the position, from 0.

    Args:
        labels: The text of each token, white space visible.
        details: What stands below each (its id, its bytes); may hold several lines.
        chosen: The position of the chosen one.
        shades: A number from 0 to 1 for each token, or None for colours that tell neighbours apart.
    """
    items = []
    for position, (label, detail) in enumerate(zip(labels, details or [""] * len(labels), strict=True)):
        colour = f'style="--shade:{shades[position]:.3f}"' if shades is not None else f'data-colour="{position % 6}"'
        lines = "".join(f"<small>{escape(line)}</small>" for line in detail.split("\n") if line)
        content = f"<bdi>{escape(label)}</bdi>{lines}"
        items.append(f"<li>{choice(position, content, position == chosen, 'token', colour)}</li>")
    return f'<ol class="tokens" data-arrows>{"".join(items)}</ol>'


def choice(value, content: str, chosen: bool, css: str, attributes: str = "") -> str:
    """Return a button that chooses `value`."""
    return (
        f'<button type="button" class="{css}" data-choose="{value}" aria-pressed="{str(chosen).lower()}" {attributes}>'
        f"{content}</button>"
    )


def grid(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[str]], caption: str, css: str, lang: Language
) -> str:  # fmt: skip
    """Return a table of `<td>…</td>` cells with names for rows and columns, in a region that scrolls."""
    head = "".join(f'<th scope="col"><bdi>{escape(name)}</bdi></th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>{"".join(row)}</tr>'
        for name, row in zip(rows, cells, strict=True)
    )
    drawn = (
        f'<table class="{css}" data-arrows><caption>{escape(caption)}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    return savable(scroll(drawn, caption), lang)


def heat_map(
    values: Sequence[Sequence[float | None]], rows: Sequence[str], columns: Sequence[str], caption: str,
    lang: Language, chosen: tuple[int, int] | None = None, largest: float | None = None, numbers: bool = True,
) -> str:  # fmt: skip
    """Return a matrix as a table whose cells are shaded buttons; `data-choose` is "row,column".

    Args:
        values: Numbers, shape (rows, columns); None is a masked cell. Negative ones take the second colour.
        rows, columns: Their names.
        caption: What it shows.
        lang: The reader's.
        chosen: Row and column of the chosen cell.
        largest: The absolute value that gets the full colour; by default the greatest in `values`.
        numbers: Whether the cells show their numbers; a screen reader reads them in any case.
    """
    known = [abs(value) for row in values for value in row if value is not None]
    scale = largest or max(known, default=1.0) or 1.0

    def cell(r: int, c: int, value: float | None) -> str:
        if value is None:
            return f'<td class="masked"><span class="visually-hidden">{escape(text("app.masked", lang))}</span></td>'
        css, shade = "cell minus" if value < 0 else "cell", min(1, abs(value) / scale)
        shown = f"<span>{number(value, lang, '.2f')}</span>"
        button = choice(f"{r},{c}", shown, (r, c) == chosen, css, f'style="--shade:{shade:.3f}"')
        return f"<td>{button}</td>"

    cells = [[cell(r, c, value) for c, value in enumerate(row)] for r, row in enumerate(values)]
    return grid(rows, columns, cells, caption, "heat" if numbers else "heat small", lang)


def bars(
    names: Sequence[str], values: Sequence[float], caption: str, lang: Language, largest: float | None = None
) -> str:
    """Return names with a bar and a number each; the longest bar is for `largest`, by default the greatest value."""
    scale = largest or max((abs(value) for value in values), default=1.0) or 1.0
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>{bar(value, scale, lang)}</tr>'
        for name, value in zip(names, values, strict=True)
    )
    table = f'<table class="bars"><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>'
    return savable(table, lang)


def bar(value: float, largest: float, lang: Language, second: bool = False) -> str:
    """Return two cells of a row: a bar and its number. Negative ones, and a `second` series, take the other colour."""
    css = "bar minus" if value < 0 or second else "bar"
    share = f'style="--share:{abs(value) / largest:.4f}"'
    return f'<td><span class="{css}" {share}></span></td><td>{number(value, lang)}</td>'
