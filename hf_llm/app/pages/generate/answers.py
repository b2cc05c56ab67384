"""What the generate page answers: text that streams, distributions of the next token, surprise token by token."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from hf_llm.app.config import checked
from hf_llm.app.page import App
from hf_llm.app.pages.generate import views
from hf_llm.app.server.library import first
from hf_llm.app.views import message
from hf_llm.config import require
from hf_llm.generation.config import GenerationSettings
from hf_llm.texts import Language, both
from hf_llm.texts import text as in_language

if TYPE_CHECKING:
    from hf_llm.app.server.library import LanguageModel
    from hf_llm.generation.next_token import Stage

MOST_NEW = 400  # tokens that may be asked for at once
SECONDS = 60  # and how long the models may write
REDRAW = 0.1  # seconds between two pictures of a text that grows
TOKENS = 600  # of a text that is coloured
MOST_NAMED = 5000  # next tokens that a call may ask for
# greedy, temperature, top_k, top_p, repetition_penalty; each with the texts `preset.<name>` and `why.<name>`
PRESETS = {
    "nucleus": (False, 1.0, 0, 0.9, 1.0),
    "cooler": (False, 0.7, 40, 1.0, 1.0),
    "greedy": (True, 1.0, 0, 1.0, 1.0),
    "babble": (False, 2.0, 0, 1.0, 1.0),
    "mild_penalty": (True, 1.0, 0, 1.0, 1.2),
    "harsh_penalty": (True, 1.0, 0, 1.0, 3.0),
}


class Example(NamedTuple):
    """What the page opens with: a prompt, and how a text goes on, followed by the same with another last word."""

    prompt: str
    scored: str


VERDICT = Example(
    "I had always thought",
    "I had always thought Jack Gisburn rather a cheap genius. I had always thought Jack Gisburn rather a cheap banana.",
)
EXAMPLES = {  # by the data that a model learned from; any other gets the demo's
    "dom-casmurro": Example(
        "Capitú olhou para mim",
        "Uma noite destas, vindo da cidade para o Engenho Novo, encontrei no trem da Central um rapaz aqui do bairro. "
        "Uma noite destas, vindo da cidade para o Engenho Novo, encontrei no trem da Central um rapaz aqui do bolo.",
    ),
}


def generate(
    app: App, prompt: str, model: str | None = None, max_new_tokens: int = 100, do_sample: bool = True,
    temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, repetition_penalty: float = 1.0, seed: int = 0,
) -> str:  # fmt: skip
    """Continue a prompt: the new text so far after each token, at the end the whole."""  # Gradio wants -> str
    model = first(app.library.language_models()) if model is None else model
    chosen = settings(not do_sample, temperature, top_k, top_p, repetition_penalty, seed, max_new_tokens)
    writing = Writing(app, prompt, [model], chosen)
    for _ in writing:
        yield writing.texts[0]


def next_token(
    app: App, text: str, model: str | None = None, most: int = 100, do_sample: bool = True, temperature: float = 1.0,
    top_k: int = 0, top_p: float = 1.0, repetition_penalty: float = 1.0,
) -> list[dict[str, Any]]:  # fmt: skip
    """Each token's probability to come next, by the model and after each setting that is on; most=0 gives all.

    All of a large vocabulary are more than fit into an answer: at most 5,000 can be asked for.
    """
    require(0 <= most <= MOST_NAMED, both("generate.most_named", most=MOST_NAMED, given=most))
    chosen = settings(not do_sample, temperature, top_k, top_p, repetition_penalty)
    model = first(app.library.language_models()) if model is None else model
    loaded = app.library.language_model(model)
    _, stages = _stages(app, loaded, text, chosen)
    return views.records(loaded.tokenizer, stages, most)


ENDPOINTS = {"generate": generate, "next_token": next_token}


def example(app: App, lang: Language) -> Example:
    """Return the example that suits the model with which the page opens in a language."""
    name = next(iter(app.library.language_models(lang)), None)
    return EXAMPLES.get(name and app.library.data(name), VERDICT)


def settings(
    greedy: bool, temperature: float, top_k: int, top_p: float, repetition_penalty: float, seed: int = 0,
    max_new_tokens: int = 200,
) -> GenerationSettings:  # fmt: skip
    """Return the page's controls as settings.

    Raises:
        UserError: When a value is out of bounds, or more tokens are asked for than the app gives at once.
    """
    require(max_new_tokens <= MOST_NEW, both("generate.too_many", most=MOST_NEW, given=max_new_tokens))
    return GenerationSettings(  # a slider and JSON say 2 for 2.0, which transformers' processors refuse
        max_new_tokens=int(max_new_tokens), do_sample=not greedy, temperature=float(temperature), top_k=int(top_k),
        top_p=float(top_p), repetition_penalty=float(repetition_penalty), seed=int(seed or 0),
    )  # fmt: skip


class Writing:
    """Models that continue one prompt with the same settings, a token of each in turn; iterate to let them write.

    Gradio ends a generator only at a `yield`, hence one after each token.
    """

    def __init__(self, app: App, prompt: str, models: list[str], chosen: GenerationSettings):
        from hf_llm.generation.generate import TextStream

        checked(prompt, app.config.max_characters)
        loaded = [app.library.language_model(name) for name in models]
        self.streams = [TextStream(one.model, one.tokenizer, prompt, chosen) for one in loaded]
        self.texts = [""] * len(models)
        self.out_of_time = False

    def __iter__(self) -> Iterator[None]:
        pieces, until = dict(enumerate(map(iter, self.streams))), time.monotonic() + SECONDS
        while pieces:
            for number in sorted(pieces):
                if time.monotonic() > until:
                    self.out_of_time = True
                    return
                piece = next(pieces[number], None)
                if piece is None:
                    del pieces[number]
                else:
                    self.texts[number] += piece
                    yield


def choose_preset(app: App, *, preset: str | None, lang: Language) -> tuple:
    """Return the preset's settings, and why it is good or bad."""
    if preset not in PRESETS:
        return (*[gr.skip()] * len(PRESETS["greedy"]), "")
    return (*PRESETS[preset], message(in_language(f"generate.why.{preset}", lang)))


def write(
    app: App, *, prompt: str, model: str, other: str, compare: bool, max_new_tokens: int, lang: Language, **choice
) -> Iterator[tuple[str, str, str, str, str]]:
    """Let one model or two continue the prompt with the same settings; `choice` holds the other controls.

    Yields:
        The texts of the first and the second model, the status, the call behind them, the first text without markup.
    """
    chosen = settings(**choice, max_new_tokens=max_new_tokens)
    checked(prompt, app.config.max_characters)
    if not model:
        yield "", "", message(in_language("app.no_model", lang)), "", ""
        return
    names = [model, other] if compare else [model]
    call = views.generate_call(_sources(app, model, other, compare), prompt, chosen, lang)
    yield "", "", message(in_language("generate.loading", lang)), call, ""
    writing, redraw = Writing(app, prompt, names, chosen), 0.0

    def shown(status: str) -> tuple[str, str, str, str, str]:
        drawn = [
            views.written(name, prompt, text, stream.result, lang)
            for name, text, stream in zip(names, writing.texts, writing.streams, strict=True)
        ]
        said = message(in_language(f"generate.{status}", lang))
        return drawn[0], drawn[1] if compare else "", said, call, prompt + writing.texts[0]

    for _ in writing:
        if time.monotonic() < redraw:
            yield (gr.skip(),) * 5  # a small model writes faster than a browser draws, which then hears no Stop
        else:
            yield shown("writing")
            redraw = time.monotonic() + REDRAW
    yield shown("out_of_time" if writing.out_of_time else "finished")


def stopped(app: App, *, lang: Language) -> str:
    return message(in_language("generate.stopped", lang))


def take(app: App, *, written: str, scored: str, lang: Language) -> str:
    """Return the text that the model wrote as the one to colour; with none written, the one that is there."""
    return written or scored


def _stages(
    app: App, loaded: "LanguageModel", text: str, chosen: GenerationSettings
) -> "tuple[list[int], list[Stage]]":
    """Return a text's tokens, and the distribution of the next one, stage by stage."""
    from hf_llm.generation.next_token import next_token_stages
    from hf_llm.tokenization.tokenizer import encode_prompt

    ids = encode_prompt(loaded.tokenizer, checked(text, app.config.max_characters))
    return ids, next_token_stages(loaded.model, ids, chosen)


def _document(app: App, loaded: "LanguageModel", text: str) -> list[int]:
    """Return a text as a document: the surprise of its first token needs one before it."""
    from hf_llm.tokenization.tokenizer import encode_document

    return encode_document(loaded.tokenizer, checked(text, app.config.max_characters)).tolist()


def _sources(app: App, model: str, other: str, compare: bool) -> list[str]:
    return [app.library.source(name) for name in ([model, other] if compare else [model]) if name]


def _pair(show: Callable[[str], str], model: str, other: str, compare: bool) -> tuple[str, str]:
    """Return `show` of the first model and, where two are compared, of the second."""
    return show(model), show(other) if compare else ""


def show_next_tokens(
    app: App, *, model: str, other: str, compare: bool, prompt: str, lang: Language, **choice
) -> tuple[str, ...]:
    """Return what the next token may be for each model, the call, and nothing in place of what was prepared before."""
    chosen = settings(**choice)
    shown = _pair(lambda name: show_next_token(app, name, prompt, chosen, lang), model, other, compare)
    return *shown, views.next_token_call(_sources(app, model, other, compare), prompt, chosen, lang), "", ""


def show_next_token(app: App, name: str, text: str, chosen: GenerationSettings, lang: Language) -> str:
    """Return what the next token may be: before the settings, and after each that is on."""
    from hf_llm.generation.decoding import decode
    from hf_llm.generation.inference import evaluating

    if not name:
        return message(in_language("app.no_model", lang))
    loaded = app.library.language_model(name)
    ids, stages = _stages(app, loaded, text, chosen)
    with evaluating(loaded.model):
        drawn = next(decode(loaded.model, ids, chosen))
    return views.stages(loaded, stages, drawn, chosen, lang)


def show_vocabularies(
    app: App, *, model: str, other: str, compare: bool, prompt: str, lang: Language, **choice
) -> tuple[str, str]:
    """Return links that save the distribution over the whole vocabulary, for each model."""
    chosen = settings(**choice)
    return _pair(lambda name: show_vocabulary(app, name, prompt, chosen, lang), model, other, compare)


def show_vocabulary(app: App, name: str, text: str, chosen: GenerationSettings, lang: Language) -> str:
    if not name:
        return message(in_language("app.no_model", lang))
    loaded = app.library.language_model(name)
    return views.vocabulary(loaded, _stages(app, loaded, text, chosen)[1], lang)


def show_surprises(app: App, *, model: str, other: str, compare: bool, scored: str, lang: Language) -> tuple[str, ...]:
    """Return the text coloured by each model, the call, and nothing in place of the token that was chosen before."""
    shown = _pair(lambda name: show_surprise(app, name, scored, lang), model, other, compare)
    return *shown, views.surprise_call(_sources(app, model, other, compare), scored, lang), "", ""


def show_surprise(app: App, name: str, text: str, lang: Language, position: int | None = None) -> str:
    """Return the text's tokens coloured by the model's surprise, -log2 p in bits; `position` is the chosen one."""
    from hf_llm.evaluation.surprise import surprise

    if not name or not text:
        return message(in_language("app.empty" if name else "app.no_model", lang))
    loaded = app.library.language_model(name)
    ids = _document(app, loaded, text)
    kept = ids[: TOKENS + 1]
    return views.surprise(loaded, kept, surprise(loaded.model, kept), len(ids) - len(kept), position, lang)


def show_expected(app: App, *, choice: str, model: str, scored: str, lang: Language) -> tuple[str, str]:
    """Return the coloured text with one token chosen, and what the model expected in its place."""
    from hf_llm.evaluation.surprise import view_start
    from hf_llm.generation.next_token import next_token_stages

    loaded = app.library.language_model(model)
    ids = _document(app, loaded, scored)
    position = {str(position): position for position in range(min(len(ids) - 1, TOKENS))}.get(choice)
    if position is None:  # the text is shorter by now
        return show_surprise(app, model, scored, lang), ""
    seen = ids[view_start(loaded.model, position + 1) : position + 1]
    (stage,) = next_token_stages(loaded.model, seen, GenerationSettings(temperature=1.0))
    coloured = show_surprise(app, model, scored, lang, position)
    return coloured, views.expected(loaded, stage, ids[position + 1], lang)
