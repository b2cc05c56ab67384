"""What the generate page answers: text that streams, distributions of the next token, surprise token by token."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import gradio as gr

from hf_llm.app.page import App, checked
from hf_llm.app.pages.generate import views
from hf_llm.app.texts import Language, text
from hf_llm.app.views import message
from hf_llm.config import require
from hf_llm.generation.config import GenerationSettings

if TYPE_CHECKING:
    from hf_llm.app.server.library import LanguageModel
    from hf_llm.generation.next_token import Stage

MOST_NEW = 400  # tokens a press of the button may ask for
SECONDS = 60  # and how long the model may write
REDRAW = 0.1  # seconds between two pictures of a text that grows
TOKENS = 600  # of a text that is coloured
# greedy, temperature, top_k, top_p, repetition_penalty; each with `preset_…` and `why_…` in texts/generate.yaml
PRESETS = {
    "nucleus": (False, 1.0, 0, 0.9, 1.0),
    "cooler": (False, 0.7, 40, 1.0, 1.0),
    "greedy": (True, 1.0, 0, 1.0, 1.0),
    "babble": (False, 2.0, 0, 1.0, 1.0),
    "mild_penalty": (True, 1.0, 0, 1.0, 1.2),
    "harsh_penalty": (True, 1.0, 0, 1.0, 3.0),
}


def settings(
    greedy: bool,
    temperature: float,
    top_k: int,
    top_p: float,
    repetition_penalty: float,
    seed: int = 0,
    most: int = 200,
) -> GenerationSettings:
    """Return the page's controls as settings.

    Raises:
        UserError: When a value is out of bounds, or more tokens are asked for than the app gives at once.
    """
    require(
        most <= MOST_NEW, f"max_new_tokens is at most {MOST_NEW} here, not {most}; scripts/generate.py has no limit"
    )
    return GenerationSettings(  # a slider and JSON say 2 for 2.0, which transformers' processors refuse
        max_new_tokens=int(most), do_sample=not greedy, temperature=float(temperature), top_k=int(top_k),
        top_p=float(top_p), repetition_penalty=float(repetition_penalty), seed=int(seed or 0),
    )  # fmt: skip


def choose_preset(name: str | None, lang: Language) -> tuple:
    """Return the preset's settings, and why it is good or bad."""
    if name not in PRESETS:
        return (*[gr.skip()] * len(PRESETS["greedy"]), "")
    return (*PRESETS[name], message(text(f"generate.why_{name}", lang)))


def write(
    app: App, prompt: str, model: str, other: str, compare: bool, greedy: bool, temperature: float, top_k: int,
    top_p: float, repetition_penalty: float, seed: int, most: int, lang: Language,
) -> Iterator[tuple[str, str, str, str, str]]:  # fmt: skip
    """Let one model or two continue the prompt with the same settings, a token of each in turn.

    Gradio ends a generator only at a `yield`, hence one after each token.

    Yields:
        The texts of the first and the second model, the status, the call behind them, the first text without markup.
    """
    from hf_llm.generation.generate import TextStream

    chosen = settings(greedy, temperature, top_k, top_p, repetition_penalty, seed, most)
    checked(prompt, app.config.max_characters, lang)
    if not model:
        yield "", "", message(text("common.no_model", lang)), "", ""
        return
    names = [model, other] if compare else [model]
    called = views.generate_call(_paths(app, model, other, compare), prompt, chosen, lang)
    yield "", "", message(text("generate.loading", lang)), called, ""
    loaded = [app.library.language_model(name) for name in names]
    streams = [TextStream(one.model, one.tokenizer, prompt, chosen) for one in loaded]
    pieces, texts = [iter(stream) for stream in streams], [""] * len(names)
    until, writing, redraw = time.monotonic() + SECONDS, set(range(len(names))), 0.0

    def shown(status: str) -> tuple[str, str, str, str, str]:
        drawn = [
            views.written(name, prompt, words, stream.result, lang)
            for name, words, stream in zip(names, texts, streams, strict=True)
        ]
        return (drawn[0], drawn[1] if compare else "", message(text(status, lang)), called, prompt + texts[0])

    while writing and time.monotonic() < until:
        for place in sorted(writing):
            piece = next(pieces[place], None)
            if piece is None:
                writing.discard(place)
                continue
            texts[place] += piece
            if time.monotonic() < redraw:
                yield (gr.skip(),) * 5  # a small model writes faster than a browser draws, which then hears no Stop
            else:
                yield shown("generate.writing")
                redraw = time.monotonic() + REDRAW
    yield shown("generate.out_of_time" if writing else "generate.finished")


def stopped(lang: Language) -> str:
    return message(text("generate.stopped", lang))


def next_token(loaded: "LanguageModel", words: str, chosen: GenerationSettings) -> "tuple[list[Stage], int]":
    """Return the distribution behind a text, stage by stage, and the token that the seed draws from the last one."""
    from hf_llm.generation.decoding import decode
    from hf_llm.generation.inference import evaluating
    from hf_llm.generation.next_token import next_token_stages
    from hf_llm.tokenization.tokenizer import encode_document

    ids = encode_document(loaded.tokenizer, words).tolist()
    stages = next_token_stages(loaded.model, ids, chosen)
    with evaluating(loaded.model):
        return stages, next(decode(loaded.model, ids, chosen))


def pair(show: Callable, app: App, model: str, other: str, compare: bool, *args) -> tuple[str, str]:
    """Return `show` of the first model and, where two are compared, of the second."""
    return show(app, model, *args), show(app, other, *args) if compare else ""


def show_next_tokens(app: App, model: str, other: str, compare: bool, words: str, *controls) -> tuple[str, ...]:
    """Return what the next token may be for each model, the call, and nothing in place of what was prepared before."""
    shown = pair(show_next_token, app, model, other, compare, words, *controls)
    *controls, lang = controls
    paths = _paths(app, model, other, compare)
    return (*shown, views.next_token_call(paths, words, settings(*controls), lang), "", "")


def _paths(app: App, model: str, other: str, compare: bool) -> list[str]:
    return [app.library.address(name) for name in ([model, other] if compare else [model]) if name]


def show_next_token(app: App, name: str, words: str, *controls) -> str:
    """Return what the next token may be: before the settings, and after each that is on; `controls` end in lang."""
    *controls, lang = controls
    if not name:
        return message(text("common.no_model", lang))
    chosen, loaded = settings(*controls), app.library.language_model(name)
    stages, drawn = next_token(loaded, checked(words, app.config.max_characters, lang), chosen)
    return views.stages(loaded, stages, drawn, chosen, lang)


def show_whole(app: App, name: str, words: str, *controls) -> str:
    """Return links that save the distribution over the whole vocabulary."""
    *controls, lang = controls
    if not name:
        return message(text("common.no_model", lang))
    loaded = app.library.language_model(name)
    stages, _ = next_token(loaded, checked(words, app.config.max_characters, lang), settings(*controls))
    return views.whole(loaded, stages, lang)


def show_surprises(app: App, model: str, other: str, compare: bool, words: str, lang: Language) -> tuple[str, ...]:
    """Return the text coloured by each model, the call, and nothing in place of the token that was chosen before."""
    shown = pair(show_surprise, app, model, other, compare, words, lang)
    return (*shown, views.surprise_call(_paths(app, model, other, compare), words, lang), "", "")


def show_surprise(app: App, name: str, words: str, lang: Language, place: int | None = None) -> str:
    """Return the text's tokens coloured by the model's surprise, -log2 p in bits; `place` is the pressed one."""
    from hf_llm.evaluation.surprise import surprise
    from hf_llm.tokenization.tokenizer import encode_document

    if not name:
        return message(text("common.no_model", lang))
    if not words:
        return message(text("common.empty", lang))
    loaded = app.library.language_model(name)
    ids = encode_document(loaded.tokenizer, checked(words, app.config.max_characters, lang)).tolist()
    kept = ids[: TOKENS + 1]
    bits = surprise(loaded.model, kept)
    return views.surprise(loaded, kept, bits, len(ids) - len(kept), place, lang)


def show_place(app: App, name: str, words: str, choice: str, lang: Language) -> tuple[str, str]:
    """Return the coloured text with one token pressed, and what the model expected in its place."""
    from hf_llm.evaluation.surprise import view_start
    from hf_llm.generation.next_token import next_token_stages
    from hf_llm.tokenization.tokenizer import encode_document

    loaded = app.library.language_model(name)
    ids = encode_document(loaded.tokenizer, checked(words, app.config.max_characters, lang)).tolist()
    place = {str(place): place for place in range(min(len(ids) - 1, TOKENS))}.get(str(choice))
    if place is None:  # the text is shorter by now
        return show_surprise(app, name, words, lang), ""
    seen = ids[view_start(loaded.model, place + 1) : place + 1]
    (stage,) = next_token_stages(loaded.model, seen, GenerationSettings(temperature=1.0))
    return (
        show_surprise(app, name, words, lang, place),
        views.expected(loaded, stage, ids[place + 1], lang),
    )
