"""What the first page draws: the steps of the lesson, one of them, and the models."""

from collections.abc import Sequence
from html import escape

from hf_llm.app.navigation import url
from hf_llm.app.page import App
from hf_llm.app.pages.home.step import Seen, Step
from hf_llm.app.pages.train import views as train_views
from hf_llm.app.server.library import PORTUGUESE
from hf_llm.app.server.training_process import Training
from hf_llm.app.views import bar, choice, code, message, paragraph, table
from hf_llm.texts import Language, text


def path(steps: dict[str, Step], current: str, made: dict[str, str], lang: Language) -> str:
    """Return all steps as numbered buttons; those with a prediction have a tick."""
    items = ""
    for number, (name, step) in enumerate(steps.items(), 1):
        done = name in made
        said = text("home.step", lang, number=number, of=len(steps), title=step.say("title", lang))
        said += f" ({text('home.done', lang)})" if done else ""
        label = f'title="{escape(said)}" aria-label="{escape(said)}"'
        sign = "✓" if done and name != current else str(number)
        items += f"<li>{choice(name, sign, name == current, 'step', label)}</li>"
    return f'<ol class="path" data-arrows>{items}</ol>'


def asked(step: Step, lang: Language) -> str:
    """Return the title and the idea of a step, and what to predict."""
    question = f"<p><strong>{escape(step.say('predict', lang))}</strong></p>" if step.predicts else ""
    return f"<h2>{escape(step.say('title', lang))}</h2>{paragraph(step.say('intro', lang))}{question}"


def before(lang: Language) -> str:
    return message(text("home.predict_first", lang), announced=False)


def verdict(step: Step, seen: Seen, made: str | None, lang: Language) -> str:
    """Return how the prediction went; nothing where none was asked for."""
    if not step.predicts:
        return ""
    if seen.right is None:
        return message(text("home.neither", lang))
    key, kind = ("home.right", "good") if made == seen.right else ("home.otherwise", "note")
    return message(text(key, lang, option=step.say(f"option.{seen.right}", lang)), kind)


def why(seen: Seen) -> str:
    """Return the reason of what the step shows."""
    return message(seen.why, announced=False)


def further(step: Step, sentence: str, model: str | None, lang: Language) -> str:
    """Return the way to the page of the toolbox that shows a step in full."""
    along = {"text": sentence, "model": model or ""} if step.sentence else {}
    key = "home.further" if step.sentence else "home.further_alone"
    title = text(key, lang, page=text(f"{step.page}.title", lang))
    link = url(step.page, lang, **along, **dict(step.settings))
    return f'<p class="further"><a href="{link}">{escape(title)}</a></p>'


def pairs(rows: Sequence[tuple[str, float, float]], headings: tuple[str, str], caption: str, lang: Language) -> str:
    """Return names with two bars and two numbers each: as it was, and as it is with something changed."""
    largest = max((max(before, after) for _, before, after in rows), default=1.0) or 1.0
    head = "".join(f'<th scope="col" colspan="2"><bdi>{escape(heading)}</bdi></th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>{bar(before, largest, lang)}'
        f"{bar(after, largest, lang, second=True)}</tr>"
        for name, before, after in rows
    )
    return (
        f'<table class="bars pairs"><caption>{escape(caption)}</caption><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def models(records: list[dict], lang: Language) -> str:
    """Return the table of the models, nothing where there is none."""
    if not records:
        return ""
    headings = {column: text(f"home.column.{column}", lang) for column in records[0]}
    return table(records, headings, text("home.models", lang), lang)


def links(pages: tuple[str, ...], lang: Language) -> str:
    """Return a link to each page, with what one does there."""
    items = "".join(
        f'<li><a href="{url(page)}">{escape(text(f"{page}.title", lang))}</a>: '
        f"{escape(text(f'home.about.{page}', lang))}</li>"
        for page in pages
        if page != "home"
    )
    return f'{paragraph(text("home.next", lang))}<ul class="links">{items}</ul>'


def progress(training: Training, lang: Language) -> str:
    """Return how a training goes, its command, and the way to its curves."""
    watch = f'<p><a href="{url("train", run=training.name)}">{escape(text("home.watch", lang))}</a></p>'
    return train_views.status(training, lang) + code(training.shown_command(), lang, "app.command") + watch


def language(app: App, step: Step, model: str | None, lang: Language) -> str:
    """Return that a model has not read Portuguese, for whoever reads it and works with one; how to get another one."""
    known = not model or model in app.library.hub_models or app.library.data(model) in PORTUGUESE
    if known or lang != "pt-BR" or step.needs != "gpt2":
        return ""
    others = (name for name in app.library.language_models(lang) if app.library.data(name) in PORTUGUESE)
    other = next(others, None)
    instead = text("home.instead.choose", lang, model=other) if other else text("home.instead.train", lang)
    return message(text("home.no_portuguese", lang, model=model, instead=instead), announced=False)
