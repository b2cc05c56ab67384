"""The sentence as a BPE cuts it, merge after merge; the merges are learned from a story, here and now."""

from functools import cache

import gradio as gr

from hf_llm.app.config import checked
from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.pages.tokenizer.answers import APPLIED, LARGEST, SMALLEST
from hf_llm.app.views import message, tokens
from hf_llm.config import require
from hf_llm.data import is_here, read_text
from hf_llm.texts import Language, both, text

MERGES = LARGEST - SMALLEST
STORIES: dict[Language, tuple[str, ...]] = {"pt-BR": ("dom-casmurro", "sample"), "en": ("the-verdict", "sample")}


def controls() -> dict:
    return {"merges": gr.Slider(0, MERGES, 0, step=1, label=t("pieces.merges"))}


@cache
def learned(story: str) -> list[tuple[tuple[str, str], int]]:
    """Return the merges that a BPE learns from a story, [(pair, how often it occurs)]."""
    from hf_llm.tokenization.bpe import replay

    return [(merge.pair, merge.count) for merge in replay(read_text(story).text, LARGEST)]


def draw(at: At, *, merges: float) -> Seen:
    """Return the sentence after some merges, and the merge that came last."""
    from hf_llm.tokenization.bpe import pretokenize, tokenize, tokenize_word
    from hf_llm.tokenization.readable import readable, token_bytes

    require(at.text != "", both("app.empty"))
    sentence, story = checked(at.text, APPLIED), next(story for story in STORIES[at.lang] if is_here(story))
    found = learned(story)
    pairs, step = [pair for pair, _ in found], min(int(merges), len(found))

    def shown(token: str) -> str:
        return readable(token_bytes(token))

    made, size = tokenize(sentence, pairs[:step]), len(sentence.encode("utf-8"))
    said = text("pieces.start", at.lang, bytes=size)
    if step:
        left, right = map(shown, pairs[step - 1])
        said = text("pieces.last", at.lang, step=step, left=left, right=right, count=found[step - 1][1])
    rank = {pair: i for i, pair in enumerate(pairs)}
    words = {word: len(tokenize_word(word, rank)) for word in pretokenize(sentence)}
    whole = [shown(word) for word, count in words.items() if count == 1 and len(word) > 1]
    cut = [shown(word) for word, count in words.items() if count > 1]
    right = "b" if whole and cut else "a" if whole else None
    counts = {"tokens": len(made), "bytes": size, "whole": len(whole), "words": len(words), "most": len(found)}
    why = text("pieces.why", at.lang, **counts, story=text(f"pieces.story.{story}", at.lang))
    return Seen(message(said) + tokens([shown(token) for token in made]), why, right)


STEP = Step("pieces", controls, draw, "tokenizer")
