"""A model writes: streamed, stopped, seeded; what each setting does to the next token; what surprises the model."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from hf_llm.app.page import App, Page, checked
from hf_llm.app.pages import generate_views as views
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import message
from hf_llm.config import require
from hf_llm.generation.config import GenerationSettings

if TYPE_CHECKING:
    from hf_llm.app.library import LanguageModel
    from hf_llm.generation.next_token import Stage

MOST_NEW = 400  # tokens a press of the button may ask for
SECONDS = 60  # and how long the model may write
TOKENS = 600  # of a text that is coloured
PROMPT = "I had always thought"
# the first half stands in The Verdict; the second differs in its last word
SCORED = (
    "I had always thought Jack Gisburn rather a cheap genius. I had always thought Jack Gisburn rather a cheap banana."
)
# greedy, temperature, top_k, top_p, repetition_penalty; each with `preset_…` and `why_…` in texts/generate.yaml
PRESETS = {
    "nucleus": (False, 1.0, 0, 0.9, 1.0),
    "cooler": (False, 0.7, 40, 1.0, 1.0),
    "greedy": (True, 1.0, 0, 1.0, 1.0),
    "babble": (False, 2.0, 0, 1.0, 1.0),
    "mild_penalty": (True, 1.0, 0, 1.0, 1.2),
    "harsh_penalty": (True, 1.0, 0, 1.0, 3.0),
}


def build(page: Page) -> None:
    app = page.app
    names = app.library.language_models()

    with gr.Group():
        prompt = gr.Textbox(PROMPT, label=t("generate.prompt"), lines=2, max_length=app.config.max_characters)
        with gr.Row():
            model = gr.Dropdown(names, value=next(iter(names), None), label=t("common.model"))
            other = gr.Dropdown(names, value=next(iter(names[1:] or names), None), label=t("generate.other"))
            compare = gr.Checkbox(False, label=t("generate.compare"))
    preset = gr.Radio([(t(f"generate.preset_{name}"), name) for name in PRESETS], value=None, label=t("common.preset"))
    why = page.view()
    with gr.Group():
        with gr.Row():
            repetition_penalty = gr.Slider(1, 4, 1, step=0.05, label=t("generate.repetition_penalty"))
            temperature = gr.Slider(0.1, 3, 1, step=0.05, label=t("generate.temperature"))
            top_k = gr.Slider(0, 200, 0, step=1, label=t("generate.top_k"), info=t("generate.top_k_off"))
            top_p = gr.Slider(0.05, 1, 0.9, step=0.01, label=t("generate.top_p"), info=t("generate.top_p_off"))
        with gr.Row():
            greedy = gr.Checkbox(False, label=t("generate.greedy"), info=t("generate.greedy_info"))
            seed = gr.Number(0, label=t("generate.seed"), precision=0, minimum=0, maximum=2**31 - 1)
            most = gr.Slider(1, MOST_NEW, 80, step=1, label=t("generate.max_new_tokens"))
    with gr.Row():
        start = gr.Button(t("generate.start"), variant="primary")
        stop = gr.Button(t("generate.stop"), variant="stop")
    status = page.view()
    written = gr.State("")
    left, right, *columns = _columns(page)
    called = page.view()

    gr.Markdown(t("generate.next_intro"))
    next_left, next_right, column = _columns(page)
    columns.append(column)
    next_called = page.view()
    whole = gr.Button(t("generate.whole"))
    whole_left, whole_right, column = _columns(page)
    columns.append(column)

    gr.Markdown(t("generate.surprise_intro"))
    scored = gr.Textbox(SCORED, label=t("generate.scored"), lines=3, max_length=app.config.max_characters)
    take = gr.Button(t("generate.take"))
    coloured_left, coloured_right, column = _columns(page)
    columns.append(column)
    place_left, place_right, column = _columns(page)
    columns.append(column)
    scored_called = page.view()

    choice = [greedy, temperature, top_k, top_p, repetition_penalty]
    page.on(preset.input, choose_preset, [preset], [*choice, why])
    models = [model, other, compare]
    writing = page.on(
        start.click, partial(write, app), [prompt, *models, *choice, seed, most],
        [left, right, status, called, written], concurrency_id="calculation",
    )  # fmt: skip
    page.on(stop.click, stopped, [], status, cancels=[writing])

    compare.change(
        lambda on: [gr.update(visible=on)] * len(columns), compare, columns, api_visibility="private",
        show_progress="hidden",
    )  # fmt: skip
    next_token, next_views = [*models, prompt, *choice, seed], [next_left, next_right, next_called]
    page.on(
        [control.change for control in next_token], partial(show_next_tokens, app), next_token,
        [*next_views, whole_left, whole_right], trigger_mode="always_last",
    )  # fmt: skip
    page.on(
        whole.click, lambda *args: _pair(show_whole, app, *args), next_token, [whole_left, whole_right],
        concurrency_id="calculation",
    )  # fmt: skip
    surprises, surprise_views = [*models, scored], [coloured_left, coloured_right, scored_called]
    page.on(
        [control.change for control in surprises], partial(show_surprises, app), surprises,
        [*surprise_views, place_left, place_right], trigger_mode="always_last",
    )  # fmt: skip
    take.click(
        lambda made, now: made or now, [written, scored], scored, api_visibility="private", show_progress="hidden"
    )
    for name, coloured, place in ((model, coloured_left, place_left), (other, coloured_right, place_right)):

        def choose(name: str, words: str, lang: Language, evt: gr.EventData) -> tuple[str, str]:
            return show_place(app, name, words, evt.choice, lang)

        page.on(coloured.select, choose, [name, scored], [coloured, place])

    page.settings(
        choices={"model": app.library.language_models, "other": app.library.language_models},
        text=prompt, model=model, other=other, compare=compare, repetition_penalty=repetition_penalty,
        temperature=temperature, top_k=top_k, top_p=top_p, greedy=greedy, seed=seed, max_new_tokens=most, scored=scored,
    )  # fmt: skip
    opened = page.opens_with(partial(show_next_tokens, app), next_token, [*next_views, whole_left, whole_right])
    page.on(opened.then, partial(show_surprises, app), surprises, [*surprise_views, place_left, place_right])


def _columns(page: Page) -> tuple[gr.HTML, gr.HTML, gr.Column]:
    """Return two views side by side and the column of the second, hidden until two models are compared."""
    with gr.Row():
        with gr.Column(min_width=300):
            first = page.view()
        with gr.Column(min_width=300, visible=False) as column:
            second = page.view()
    return first, second, column


def endpoints(app: App) -> dict:
    def api_generate(
        prompt: str,
        model: str,
        max_new_tokens: int = 100,
        do_sample: bool = True,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
    ) -> str:  # Gradio wants the type of what is yielded
        """Continue a prompt: the new text so far after each token, at the end the whole."""
        from hf_llm.generation.generate import TextStream

        chosen = settings(not do_sample, temperature, top_k, top_p, repetition_penalty, seed, max_new_tokens)
        loaded = app.library.language_model(model)
        stream = TextStream(loaded.model, loaded.tokenizer, checked(prompt, app.config.max_characters), chosen)
        until, so_far = time.monotonic() + SECONDS, ""
        for piece in stream:
            so_far += piece
            yield so_far
            if time.monotonic() > until:
                break

    def api_next_token(
        text: str,
        model: str,
        most: int = 100,
        do_sample: bool = True,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
    ) -> list[dict[str, Any]]:
        """Each token's probability to come next, by the model and after each setting that is on; most=0 gives all."""
        chosen = settings(not do_sample, temperature, top_k, top_p, repetition_penalty)
        loaded = app.library.language_model(model)
        stages, _ = next_token(loaded, checked(text, app.config.max_characters), chosen)
        return views.records(loaded.tokenizer, stages, most)

    return {"generate": api_generate, "next_token": api_next_token}


def settings(
    greedy: bool, temperature: float, top_k: int, top_p: float, repetition_penalty: float, seed: int = 0, most: int = 1
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
    pieces, texts, counts = [iter(stream) for stream in streams], [""] * len(names), [0] * len(names)
    until, writing = time.monotonic() + SECONDS, set(range(len(names)))

    def shown(status: str) -> tuple[str, str, str, str, str]:
        both = [views.written(*one, stream.result, lang) for *one, stream in zip(names, [prompt] * 2, texts, streams)]
        return (*both, *[""] * (2 - len(both)), message(text(status, lang)), called, prompt + texts[0])

    while writing and time.monotonic() < until:
        for place in sorted(writing):
            piece = next(pieces[place], None)
            if piece is None:
                writing.discard(place)
            else:
                texts[place] += piece
                counts[place] += 1
                yield shown("generate.writing")
    yield shown("generate.out_of_time" if writing else "generate.finished")


def stopped(lang: Language) -> str:
    return message(text("generate.stopped", lang))


def next_token(loaded: "LanguageModel", words: str, chosen: GenerationSettings) -> "tuple[list[Stage], int]":
    """Return the distribution behind a text, stage by stage, and the token that the seed draws from the last one."""
    from hf_llm.generation.decoding import decode
    from hf_llm.generation.inference import evaluating
    from hf_llm.generation.next_token import next_token_stages
    from hf_llm.tokenization.bpe import encode_document

    ids = encode_document(loaded.tokenizer, words).tolist()
    stages = next_token_stages(loaded.model, ids, chosen)
    with evaluating(loaded.model):
        return stages, next(decode(loaded.model, ids, chosen))


def _pair(show: Callable, app: App, model: str, other: str, compare: bool, *args) -> tuple[str, str]:
    """Return `show` of the first model and, where two are compared, of the second."""
    return show(app, model, *args), show(app, other, *args) if compare else ""


def show_next_tokens(app: App, model: str, other: str, compare: bool, words: str, *controls) -> tuple[str, ...]:
    """Return what the next token may be for each model, the call, and nothing in place of what was prepared before."""
    shown = _pair(show_next_token, app, model, other, compare, words, *controls)
    *controls, lang = controls
    paths = _paths(app, model, other, compare)
    return (*shown, views.next_token_call(paths, words, settings(*controls), lang), "", "")


def _paths(app: App, model: str, other: str, compare: bool) -> list[str]:
    return [views.path(app, name) for name in ([model, other] if compare else [model]) if name]


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
    shown = _pair(show_surprise, app, model, other, compare, words, lang)
    return (*shown, views.surprise_call(_paths(app, model, other, compare), words, lang), "", "")


def show_surprise(app: App, name: str, words: str, lang: Language, place: int | None = None) -> str:
    """Return the text's tokens coloured by the model's surprise, -log2 p in bits; `place` is the pressed one."""
    from hf_llm.evaluation.surprise import surprise
    from hf_llm.tokenization.bpe import encode_document

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
    from hf_llm.tokenization.bpe import encode_document

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
