"""A result of an experiment as HTML: the question, its answer, one figure; findings, limits and data folded.

Figures and tables lie in the page itself as data, because Gradio serves no file of the checkout, and need not.
"""

import json
import re
from collections.abc import Sequence
from html import escape

from hf_llm.app.server.results import SavedResult
from hf_llm.app.views import code, download, folded, image, message, savable
from hf_llm.texts import Language, text

MARKS = {"yes": "✓", "no": "✗", "inconclusive": "?"}
# the mark-up that texts of experiments have: emphasis and code
EMPHASIS, CODE = re.compile(r"\*([^*]+)\*"), re.compile(r"`([^`]+)`")


def report(result: SavedResult, lang: Language) -> str:
    """Return everything that was found, the answer first."""
    values = result.values
    first, *others = values["figures"]
    findings = [*values["findings"], *values["timings"]["findings"]]
    shown = [finding for finding in findings if finding["key"] in values["shown"]]
    rest = [finding for finding in findings if finding["key"] not in values["shown"]]
    limits = [f"<li>{_marked_up(limit[lang])}</li>" for limit in values["limits"]]
    more = [
        verdicts(rest, lang),
        _paragraph(text("frame.timed", lang)) if values["timings"]["findings"] else "",
        *(figure(result, name, lang) for name in others),
        _data(result, lang),
    ]
    parts = [
        f"<h2>{_marked_up(values['question'][lang])}</h2>",
        message(text("frame.quick", lang), "bad") if values["quick"] else "",
        answer(result, lang),
        figure(result, first, lang),
        folded(
            text("frame.findings", lang),
            verdicts(shown, lang)
            + (_paragraph(text("frame.intervals", lang)) if any(finding["interval"] for finding in findings) else "")
            + folded(text("frame.more", lang), "".join(more)),
        ),
        folded(text("frame.limits", lang), "<ul>" + "".join(limits) + "</ul>"),
        folded(text("frame.reproduce", lang), _origin(result, lang)),
    ]
    return "".join(parts)


def answer(result: SavedResult, lang: Language) -> str:
    return f'<p class="message good">{_marked_up(result.values["answer"][lang])}</p>'


def verdicts(findings: Sequence[dict], lang: Language) -> str:
    """Return findings, each a sentence with its verdict."""
    items = "".join(
        f"<li>{verdict(finding['supported'], lang)} · {_marked_up(finding['claim'][lang])}</li>" for finding in findings
    )
    return f'<ul class="findings">{items}</ul>'


def verdict(supported: str, lang: Language) -> str:
    return f"<strong>{MARKS[supported]} {escape(text(f'frame.verdicts.{supported}', lang))}</strong>"


def figure(result: SavedResult, name: str, lang: Language) -> str:
    """Return one figure with its caption, or a message where its file is missing."""
    caption = result.values["figures"].get(name, {}).get(lang, name)
    png = result.figure(name, lang)
    if png is None:
        return message(text("experiment.no_figure", lang, caption=caption))
    drawn = f"<figure>{image(png, caption, 'plot')}<figcaption>{_marked_up(caption)}</figcaption></figure>"
    return savable(drawn, lang)


def progress(done: int, total: int, seconds: int, lang: Language) -> str:
    """Return how far a run is; nothing is known before its libraries are loaded, when `total` is 0."""
    if not total:
        return message(text("experiment.loads", lang, seconds=seconds))
    sentence = text("experiment.runs", lang, part=done / total, seconds=seconds)
    return f'{message(sentence)}<progress value="{done}" max="{total}" aria-label="{escape(sentence)}"></progress>'


def _data(result: SavedResult, lang: Language) -> str:
    """Return links that save the tables as CSV and the whole result as JSON."""
    names = [*result.values["tables"], *result.values["timings"]["tables"]]
    links = [download(f"{name}.csv", content, f"{name}.csv") for name in names if (content := result.table(name))]
    whole = json.dumps(result.values, ensure_ascii=False)
    links.append(download(f"{result.values['experiment']}.json", whole, text("experiment.save_all", lang)))
    return f'{_paragraph(text("frame.data", lang))}<p class="downloads">{" ".join(links)}</p>'


def _origin(result: SavedResult, lang: Language) -> str:
    """Return the command that makes the result again, and what it was made with."""
    values = result.values
    versions = values["environment"]["versions"]
    made = text(
        "frame.made", lang, seeds=", ".join(map(str, values["seeds"])), commit=(values["commit"] or "?")[:12],
        versions=", ".join(f"{package} {version}" for package, version in versions.items() if version),
        lecture=", ".join(values["lecture"]),
    )  # fmt: skip
    return code(values["command"], lang, "app.command") + _paragraph(made)


def _paragraph(sentence: str) -> str:
    return f"<p>{_marked_up(sentence)}</p>"


def _marked_up(sentence: str) -> str:
    return CODE.sub(r"<code>\1</code>", EMPHASIS.sub(r"<em>\1</em>", escape(sentence)))
