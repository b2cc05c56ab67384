"""What the tokenizer page answers: encodings of a text, what Portuguese costs, and how a BPE learns step by step."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import gradio as gr

from hf_llm.app.config import checked
from hf_llm.app.page import App
from hf_llm.app.pages.tokenizer import views
from hf_llm.app.views import message
from hf_llm.config import UserError, require
from hf_llm.data import is_here, read_text
from hf_llm.texts import Language, both
from hf_llm.texts import text as in_language

if TYPE_CHECKING:
    from hf_llm.tokenization.bpe import Merge

GPT2 = "gpt2-tokenizer"
CORPORA = ("the-verdict", "sample", "own")
SMALLEST, LARGEST = 257, 1000  # tokens of a BPE that is trained in the page
DISTINCT = 200_000  # bytes of all its different words: a merge may have to look at each of them
WORK = 200_000  # of all merges together (`Merge.work`): about a second of one core, five times what The Verdict needs
MERGES = 1_000_000  # bytes of the merges that it answers
WORD = 40  # tokens that are shown of a word
TOKENIZERS, TOKENS = 4, 5000  # compared at once, and made of a text by all of them together
APPLIED = 2000  # characters of a text that is encoded with the merges so far: one word of them costs the square
PASSAGE, LONG = 80, 200  # words of the text of a training that are shown, and the letters of the longest of them
# examples: the text of each; `tokenizer.why.<name>` says what it shows
PRESETS = {
    "words": "The picture was one of those that he had painted before he gave up painting.",
    "numbers": "3 33 333 3333 33333 · 1999 2000 2001 · 3,14159265 · R$ 1.234,56",
    "emoji": "👩🏽\u200d🚀 🏳️\u200d🌈 ação ac\u0327a\u0303o",
    "spaces": "def f(x):\n        return   x\n\n\n",
    "invented": "Supercalifragilisticoexpialidoso desengripantemente.",
}
# the same two sentences, written for this page, so that only the language differs
PAIR = {
    "pt-BR": "O gato que estava no quarto do apartamento 3 foi encontrado ontem. Ninguém sabia de quem ele era.",
    "en": "The cat that was in the bedroom of apartment 3 was found yesterday. Nobody knew whose cat it was.",
}


def tokenize(app: App, text: str, tokenizers: list[str] | None = None) -> list[dict[str, Any]]:
    """Encode a text: for each tokenizer its tokens with id, text and bytes, tokens per word, bytes per token.

    Without names it takes the first of those that the page lists.
    """
    from hf_llm.tokenization.compare import compare

    tokenizers = available(app)[:TOKENIZERS] if tokenizers is None else tokenizers
    require(bool(tokenizers), both("tokenizer.choose"))
    within = len(tokenizers) <= TOKENIZERS
    require(within, both("tokenizer.too_many_tokenizers", most=TOKENIZERS, given=len(tokenizers)))
    checked(text, app.config.max_characters)
    loaded = {name: _gpt2() if name == GPT2 else app.library.language_model(name).tokenizer for name in tokenizers}
    found = compare(text, loaded)
    made = sum(encoding["token_count"] for encoding in found)
    require(made <= TOKENS, both("tokenizer.too_many_tokens", most=TOKENS, tokens=made))
    return found


def train_bpe(app: App, text: str, vocab_size: int = 300) -> list[dict[str, Any]]:
    """Train a byte-level BPE on a text; every merge with its pair, count, a word before and after.

    Of a long word, such as a line of Chinese, that is the place of the first merge in it.
    """
    from hf_llm.tokenization.bpe import pretokenize, replay

    within = SMALLEST <= vocab_size <= LARGEST
    require(within, both("tokenizer.vocab_size_bounds", smallest=SMALLEST, largest=LARGEST, given=vocab_size))
    words = set(pretokenize(checked(text, 10 * app.config.max_characters)))
    require(sum(map(len, words)) <= DISTINCT, both("tokenizer.too_long_to_train"))
    merges, size, work = [], 0, 0
    for merge in replay(text, int(vocab_size)):
        merges.append(_around_the_pair(merge)._asdict())
        size, work = size + len(json.dumps(merges[-1])), work + merge.work
        require(size <= MERGES and work <= WORK, both("tokenizer.too_long_to_train"))
    return merges


def _around_the_pair(merge: "Merge") -> "Merge":
    """Return a merge with no more of its word than is read: some tokens around the first place where it was made."""
    place = next(i for i, (old, new) in enumerate(zip(merge.before, merge.after)) if old != new)
    start, end = max(0, place - WORD // 2), place + WORD // 2
    return merge._replace(before=merge.before[start : end + 1], after=merge.after[start:end])


ENDPOINTS = {"tokenize": tokenize, "train_bpe": train_bpe}


@cache
def _gpt2():
    from hf_llm.tokenization.tokenizer import load_tokenizer

    return load_tokenizer(GPT2)


def available(app: App) -> list[str]:
    """Return the tokenizers to choose from: those of the models that are here, and GPT-2's own where it is.

    The sentence that the page opens with is Portuguese in both languages, so who learned Portuguese comes first.
    """
    return [*app.library.language_models("pt-BR"), *([GPT2] if is_here(GPT2) else [])]


def choose_preset(app: App, *, preset: str | None, lang: Language) -> tuple:
    """Return an example's text, and why one should look at it."""
    if preset not in PRESETS:
        return gr.skip(), ""
    return PRESETS[preset], message(in_language(f"tokenizer.why.{preset}", lang))


def show_encodings(app: App, *, text: str, tokenizers: list[str], lang: Language) -> str:
    """Return the text's tokens under each tokenizer, with ids and bytes, and the comparison as a table."""
    if not text:
        return message(in_language("app.empty", lang))
    if not tokenizers:
        return message(in_language("tokenizer.choose", lang))
    sources = [name if name == GPT2 else app.library.source(name) for name in tokenizers]
    return views.encodings(tokenize(app, text, tokenizers), lang) + views.call(sources, text, lang)


def show_cost(app: App, *, tokenizers: list[str], lang: Language) -> str:
    """Return what the same sentences cost in Portuguese and in English under each tokenizer."""
    if not tokenizers:
        return message(in_language("tokenizer.choose", lang))
    return views.cost({language: tokenize(app, text, tokenizers) for language, text in PAIR.items()}, lang)


def train(app: App, *, corpus: str, own: str, vocab_size: int, lang: Language) -> tuple[list[dict], str, dict]:
    """Train on the chosen corpus or the reader's own text; returns the merges, the text, the slider that walks them."""
    if corpus == "own" and not own.strip():
        raise UserError(both("app.empty"))
    learned = own if corpus == "own" else read_text(corpus).text
    merges = train_bpe(app, learned, vocab_size)
    return merges, learned, gr.update(maximum=max(1, len(merges)), value=min(1, len(merges)))


def choose_corpus(app: App, *, corpus: str, lang: Language) -> dict:
    """Return the box for a text of one's own, which is there where that is trained on."""
    return gr.update(visible=corpus == "own")


def step_back(app: App, *, merges: list[dict], step: int, lang: Language) -> int:
    return max(0, step - 1)


def step_forward(app: App, *, merges: list[dict], step: int, lang: Language) -> int:
    return min(len(merges), step + 1)


def show_merge(app: App, *, merges: list[dict], learned: str, step: int, lang: Language) -> str:
    """Return one merge: the pair, how often it occurs, the text where it is made, how long the text is now."""
    if not merges or step < 1:
        return message(in_language("tokenizer.start" if merges else "tokenizer.untrained", lang))
    made = merges[: int(step)]
    return views.merge(made, _passage(learned, made), lang)


def _passage(learned: str, made: list[dict]) -> list[list[str]]:
    """Return words of the text that the last merge is about to change, each as its tokens.

    They are the first of the text where the merge occurs in them, or else begin where it does. Where the word is too
    long to be shown, the piece of it that the merge knows stands alone.
    """
    from hf_llm.tokenization.bpe import pretokenize, tokenize_word

    words, changed = pretokenize(learned), "".join(made[-1]["before"])
    if changed not in words or len(changed) > LONG:
        return [made[-1]["before"]]
    first = words.index(changed)
    start = 0 if first < PASSAGE else first
    rank = {tuple(merge["pair"]): i for i, merge in enumerate(made[:-1])}
    return [tokenize_word(word, rank) for word in words[start : start + PASSAGE] if len(word) <= LONG]


def show_applied(app: App, *, merges: list[dict], step: int, other: str, lang: Language) -> str:
    """Return another text under the merges up to the chosen step."""
    from hf_llm.tokenization.bpe import tokenize

    if not merges or not other:
        return ""
    text = checked(other, APPLIED)
    made = tokenize(text, [tuple(merge["pair"]) for merge in merges[: int(step)]])
    return views.applied(made, len(text.encode("utf-8")), lang)
