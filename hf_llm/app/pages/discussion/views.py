"""What the page of the lecture's questions draws beside the results themselves."""

from collections.abc import Sequence
from html import escape

from hf_llm.app.page import url
from hf_llm.app.pages.experiment.views import verdict
from hf_llm.app.views import bars, paragraph
from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.texts import Language, text


def asked(number: str, lang: Language) -> str:
    """Return the background of a question, and what to predict."""
    predict = escape(text(f"discussion.{number}.predict", lang))
    return f"{paragraph(text(f'discussion.{number}.background', lang))}<p><strong>{predict}</strong></p>"


def predictions(options: dict[str, str], found: dict[str, str], lang: Language) -> str:
    """Return the offered predictions, and which of them the data support; `found` has the verdicts."""
    items = "".join(f"<li>{verdict(found[name], lang)} · {escape(options[name])}</li>" for name in found)
    return f'<h2>{escape(text("discussion.supported", lang))}</h2><ul class="findings">{items}</ul>'


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
    return (
        f"<h2>{escape(text('discussion.look', lang))}</h2>{paragraph(text(f'discussion.{number}.look', lang))}"
        f"{paragraph(text('discussion.also', lang))}<ul>{''.join(links)}</ul>"
    )


def for_the_class(number: str, lang: Language) -> str:
    """Return questions to go on with, one a line of the text."""
    items = "".join(f"<li>{escape(line)}</li>" for line in text(f"discussion.{number}.class", lang).splitlines())
    return f"<h2>{escape(text('discussion.class', lang))}</h2><ol>{items}</ol>"
