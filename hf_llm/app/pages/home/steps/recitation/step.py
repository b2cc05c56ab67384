"""What is memorised: the model goes on from a text that it was trained on, from one held out, or from the sentence."""

from html import escape
from typing import NamedTuple

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.generate.answers import Writing, settings
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import bars, message
from hf_llm.data import is_here
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import text

BEGINNINGS = ("training", "held_out", "mine")
PROMPT, NEW = 60, 40  # characters of the beginning, and tokens that the model adds
READ = 1500  # characters of each part of the text whose surprise is measured
MORE = 2  # times what stands there after a beginning that the model has not read: more than common phrases
BY_HEART = 0.9  # of the continuation: this much of it stands in the training text in one piece


class Corpus(NamedTuple):
    """The text that a model was trained on."""

    training: str
    held_out: str


def controls() -> dict:
    beginnings = [(t(f"recitation.beginning.{name}"), name) for name in BEGINNINGS]
    return {"beginning": gr.Radio(beginnings, value="training", label=t("recitation.beginnings"))}


def corpus_of(at: At) -> Corpus | None:
    """Return the named text that a model learned from, as its training split it; None where it is not here."""
    from hf_llm.data import read_text, split_text
    from hf_llm.data.sources import SOURCES

    if at.model in at.app.library.hub_models:
        return None
    manifest = read_manifest(at.app.library.folder(at.model)) or {}
    name, held_out = manifest.get("data", {}).get("name"), manifest.get("config", {}).get("validation_fraction", 0.1)
    if name not in ("sample", *SOURCES) or not is_here(name):
        return None
    training, rest = split_text(read_text(name).text, held_out)
    return Corpus(training, rest.partition(" ")[2] or rest)  # the split may cut a word


def beginning_of(content: str) -> str:
    """Return the first words of a text, at most `PROMPT` characters of them.

    >>> beginning_of("I HAD always thought Jack Gisburn rather a cheap genius--though a good fellow enough")
    'I HAD always thought Jack Gisburn rather a cheap'
    """
    start = " ".join(content[: 4 * PROMPT].split())[:PROMPT]
    return start.rpartition(" ")[0] or start


def draw(at: At, *, beginning: str) -> Seen:
    """Return how the model goes on, what of it stands in the training text, and its surprise at both parts."""
    loaded = at.loaded
    corpus = corpus_of(at)
    if corpus is None:
        beginning, corpus = "mine", None
    prompt = at.text if beginning == "mine" else beginning_of(getattr(corpus, beginning))
    new = continuation(at, prompt)
    shown = _written(at, prompt, new, corpus)
    if corpus is None:
        said = message(text("recitation.unknown", at.lang, model=loaded.name))
        return Seen(said + shown, text("recitation.why.unknown", at.lang), None)
    bits = {name: surprise_at(at, getattr(corpus, name)) for name in BEGINNINGS[:2]}
    names = [text(f"recitation.beginning.{name}", at.lang) for name in bits]
    caption = text("recitation.surprise", at.lang)
    copied = share_copied(continuation(at, beginning_of(corpus.training)), corpus.training)
    other = share_copied(continuation(at, beginning_of(corpus.held_out)), corpus.training)
    how = "by_heart" if copied >= BY_HEART else "partly" if copied > MORE * other else "hardly"
    why = text(f"recitation.why.{how}", at.lang, copied=copied, other=other, **bits)
    return Seen(shown + bars(names, [*bits.values()], caption, at.lang), why, "a" if how == "by_heart" else "b")


def continuation(at: At, prompt: str) -> str:
    """Return what the model finds likeliest after a prompt, token by token."""
    writing = Writing(at.app, prompt, [at.model], settings(True, 1.0, 0, 1.0, 1.0, 0, NEW))
    for _ in writing:
        pass
    return writing.texts[0]


def share_copied(new: str, training: str) -> float:
    """Return what fraction of a text stands in the training text in one piece; white space counts as one space."""
    from hf_llm.evaluation.memorisation import longest_verbatim_span

    new, training = " ".join(new.split()), " ".join(training.split())
    return len(longest_verbatim_span(new, training)) / max(1, len(new))


def surprise_at(at: At, content: str) -> float:
    """Return the model's mean surprise at the beginning of a text, in bits per byte: comparable between texts."""
    from hf_llm.evaluation.surprise import surprise
    from hf_llm.tokenization.tokenizer import encode_document

    read, loaded = content[:READ], at.loaded
    bits = surprise(loaded.model, encode_document(loaded.tokenizer, read).tolist())
    return float(bits.sum()) / len(read.encode("utf-8"))


def _written(at: At, prompt: str, new: str, corpus: Corpus | None) -> str:
    """Return the continuation; what of it stands in the training text in one piece is marked."""
    from hf_llm.evaluation.memorisation import longest_verbatim_span, words

    plain = " ".join(new.split())
    span = longest_verbatim_span(plain, " ".join(corpus.training.split())) if corpus else ""
    before, _, after = plain.partition(span) if span else (plain, "", "")
    said = text("recitation.span", at.lang, words=len(words(span)), of=len(words(plain))) if corpus else ""
    return (
        f'<figure class="written"><figcaption>{escape(text("recitation.goes_on", at.lang))}</figcaption>'
        f"<p>{escape(prompt)} <strong>→</strong> {escape(before)}<mark>{escape(span)}</mark>{escape(after)}</p>"
        "</figure>" + (message(said) if said else "")
    )


STEP = Step("recitation", controls, draw, "generate", (("greedy", "true"),), needs="gpt2")
