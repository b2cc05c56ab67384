"""What the page of the lecture's questions draws beside the results themselves."""

from collections.abc import Sequence
from html import escape

from hf_llm.app.navigation import url
from hf_llm.app.pages.experiment.views import MARKS
from hf_llm.app.views import bars, folded, paragraph
from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.texts import Language, text


def asked(number: str, lang: Language) -> str:
    """Return a question with its background, and what to predict."""
    question, predict = (escape(text(f"discussion.{number}.{part}", lang)) for part in ("question", "predict"))
    background = paragraph(text(f"discussion.{number}.background", lang))
    return f"<h2>{question}</h2>{background}<p><strong>{predict}</strong></p>"


def predictions(options: dict[str, str], found: dict[str, str], lang: Language) -> str:
    """Return which of the offered predictions the data support, a sentence for each verdict; `found` has those."""
    sentences = []
    for supported in ("yes", "no", "inconclusive"):
        named = [f"“{options[name]}”" for name, one in found.items() if one == supported]
        if named:
            said = text(f"discussion.supported.{supported}", lang, predictions="; ".join(named))
            sentences.append(f"{MARKS[supported]} {said}")
    drawn = "<br>".join(map(escape, sentences))
    return f'<h2>{escape(text("discussion.data", lang))}</h2><p class="message good">{drawn}</p>'


def of_the_class(options: dict[str, str], counted: dict[str, int], lang: Language) -> str:
    """Return how many of a class chose each of the offered predictions."""
    numbers = [counted.get(name, 0) for name in options]
    return bars([*options.values()], numbers, text("discussion.of_the_class", lang, sum=sum(numbers)), lang)


def to_look_at(number: str, labs: Sequence[str], lang: Language) -> str:
    """Return what to look at, and the labs and pages that bear on a question."""
    links = []
    for name in labs:
        lab = name in EXPERIMENTS
        title = text(f"foundations.lab.{name}" if lab else f"{name}.title", lang)
        link = url("foundations", lang, lab=name) if lab else url(name, lang)
        why = text(f"discussion.{number}.bearing.{name}", lang)
        links.append(f'<li><a href="{link}">{escape(title)}</a>: {escape(why)}</li>')
    looked = paragraph(text(f"discussion.{number}.look", lang)) + paragraph(text("discussion.also", lang))
    return folded(text("discussion.look", lang), f"{looked}<ul>{''.join(links)}</ul>")


def for_the_class(number: str, lang: Language) -> str:
    """Return questions to go on with, one a line of the text."""
    items = "".join(f"<li>{escape(line)}</li>" for line in text(f"discussion.{number}.class", lang).splitlines())
    return folded(text("discussion.class", lang), f"<ol>{items}</ol>")
