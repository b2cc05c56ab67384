"""The seven questions that a reader can now answer; each answer is folded, with the way back to its step."""

from html import escape

from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import folded, paragraph
from hf_llm.texts import text

QUESTIONS = {  # and the step that answers each
    "token": "pieces", "hides": "mask", "carries": "values", "heat": "temperature", "by_heart": "recitation",
    "off_when": "dropout", "counts": "tf_idf",
}  # fmt: skip


def draw(at: At) -> Seen:
    """Return the questions with their answers."""
    drawn = ""
    for name, step in QUESTIONS.items():
        back = escape(text("seven.back", at.lang, step=text(f"{step}.title", at.lang)))
        button = f'<button type="button" class="open" data-choose="{step}">{back}</button>'
        answer = paragraph(text(f"seven.answer.{name}", at.lang))
        drawn += folded(text(f"seven.question.{name}", at.lang), answer + button)
    return Seen(f'<div class="questions">{drawn}</div>', text("seven.why", at.lang), None)


STEP = Step("seven", dict, draw, "discussion", sentence=False, predicts=False)
