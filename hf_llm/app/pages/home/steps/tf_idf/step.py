"""TF-IDF and a fine-tuned GPT-2 on the same messages, by the number of labels: from the result of the experiment."""

from statistics import mean

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import bars
from hf_llm.texts import text

EXPERIMENT = "tfidf-vs-llm"
METHODS = ("tfidf_words", "tfidf_chars", "gpt2_finetuned")
LABELS = (16, 64, 512, 4000)
LEVEL = 0.03  # of F1: so near is level
FINDING = "words_level_all"  # what the question asks: level with all labels


def controls() -> dict:
    *few, most = map(str, LABELS)
    return {"labels": gr.Radio([*few, (t("tf_idf.most"), most)], value=most, label=t("tf_idf.labels"))}


def draw(at: At, *, labels: str) -> Seen:
    """Return the F1 of each method, and the time that its training took."""
    result = at.result(EXPERIMENT)
    names = {method: text(f"tf_idf.method.{method}", at.lang) for method in METHODS}

    def means(table: str, value: str) -> list[float]:
        rows = [row for row in result.rows(table) if row["labels"] == float(labels)]
        return [mean(row[value] for row in rows if row["method"] == method) for method in METHODS]

    f1, seconds = means("scores", "f1"), means("training_time", "seconds")
    of_f1, of_time = text("tf_idf.f1", at.lang, labels=int(labels)), text("tf_idf.seconds", at.lang)
    shown = [*names.values()]
    drawn = bars(shown, f1, of_f1, at.lang, 1.0) + bars(shown, seconds, of_time, at.lang)
    values = dict(zip(("words", "chars", "tuned"), f1, strict=True))
    words, chars, tuned = f1
    lesson = "counting" if words > tuned - LEVEL else "characters" if chars > tuned else "pretrained"
    values["lesson"] = text(f"tf_idf.lesson.{lesson}", at.lang)
    why = text("tf_idf.why", at.lang, labels=int(labels), times=seconds[-1] / seconds[0], **values)
    verdict = next(each["supported"] for each in result.values["findings"] if each["key"] == FINDING)
    return Seen(drawn, why, {"yes": "b", "no": None}.get(verdict))


STEP = Step("tf_idf", controls, draw, "discussion", (("question", "L45"),), sentence=False)
