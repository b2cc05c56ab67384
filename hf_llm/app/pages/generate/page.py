"""A model writes: streamed, stopped, seeded; what each setting does to the next token; what surprises the model."""

import time
from functools import partial
from typing import Any

import gradio as gr

from hf_llm.app.page import App, Page, checked
from hf_llm.app.pages.generate import answers
from hf_llm.app.pages.generate.views import records
from hf_llm.app.texts import Language, t

PROMPT = "I had always thought"
# how The Verdict begins, and the same with another last word
SCORED = (
    "I had always thought Jack Gisburn rather a cheap genius. I had always thought Jack Gisburn rather a cheap banana."
)


def build(page: Page) -> None:
    app = page.app
    names = app.library.language_models()

    with gr.Group():
        prompt = gr.Textbox(PROMPT, label=t("generate.prompt"), lines=2, max_length=app.config.max_characters)
        with gr.Row():
            model = gr.Dropdown(names, value=next(iter(names), None), label=t("common.model"))
            other = gr.Dropdown(names, value=next(iter(names[1:] or names), None), label=t("generate.other"))
            compare = gr.Checkbox(False, label=t("generate.compare"))
    preset = gr.Radio(
        [(t(f"generate.preset_{name}"), name) for name in answers.PRESETS], value=None, label=t("common.preset")
    )
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
            most = gr.Slider(1, answers.MOST_NEW, 80, step=1, label=t("generate.max_new_tokens"))
    with gr.Row():
        start = gr.Button(t("generate.start"), variant="primary")
        stop = gr.Button(t("generate.stop"), variant="stop")
    status = page.view()
    written = gr.State("")
    columns = []  # of the second model

    def pair() -> tuple[gr.HTML, gr.HTML]:
        """Return two views side by side, the second hidden until two models are compared."""
        with gr.Row():
            with gr.Column(min_width=300):
                first = page.view()
            with gr.Column(min_width=300, visible=False) as column:
                second = page.view()
        columns.append(column)
        return first, second

    left, right = pair()
    called = page.view()

    gr.Markdown(t("generate.next_intro"))
    next_left, next_right = pair()
    next_called = page.view()
    whole = gr.Button(t("generate.whole"))
    whole_left, whole_right = pair()

    gr.Markdown(t("generate.surprise_intro"))
    scored = gr.Textbox(SCORED, label=t("generate.scored"), lines=3, max_length=app.config.max_characters)
    take = gr.Button(t("generate.take"))
    coloured_left, coloured_right = pair()
    place_left, place_right = pair()
    scored_called = page.view()

    choice = [greedy, temperature, top_k, top_p, repetition_penalty]
    page.on(preset.input, answers.choose_preset, [preset], [*choice, why])
    models = [model, other, compare]
    writing = page.on(
        start.click, partial(answers.write, app), [prompt, *models, *choice, seed, most],
        [left, right, status, called, written], concurrency_id="calculation",
    )  # fmt: skip
    halted = stop.click(None, cancels=[writing], api_visibility="private")
    page.on(halted.then, answers.stopped, [], status)  # afterwards, or the last token overwrites it

    compare.change(
        lambda on: [gr.update(visible=on)] * len(columns), compare, columns, api_visibility="private",
        show_progress="hidden",
    )  # fmt: skip
    next_token, next_views = [*models, prompt, *choice, seed], [next_left, next_right, next_called]
    page.on(
        [control.change for control in next_token], partial(answers.show_next_tokens, app), next_token,
        [*next_views, whole_left, whole_right], trigger_mode="always_last",
    )  # fmt: skip
    page.on(
        whole.click, partial(answers.pair, answers.show_whole, app), next_token, [whole_left, whole_right],
        concurrency_id="calculation",
    )  # fmt: skip
    surprises, surprise_views = [*models, scored], [coloured_left, coloured_right, scored_called]
    page.on(
        [control.change for control in surprises], partial(answers.show_surprises, app), surprises,
        [*surprise_views, place_left, place_right], trigger_mode="always_last",
    )  # fmt: skip
    take.click(
        lambda made, now: made or now, [written, scored], scored, api_visibility="private", show_progress="hidden"
    )
    for name, coloured, place in ((model, coloured_left, place_left), (other, coloured_right, place_right)):

        def choose(name: str, words: str, lang: Language, evt: gr.EventData) -> tuple[str, str]:
            return answers.show_place(app, name, words, evt.choice, lang)

        page.on(coloured.select, choose, [name, scored], [coloured, place])

    page.settings(
        choices={"model": app.library.language_models, "other": app.library.language_models}, locks=[preset],
        text=prompt, model=model, other=other, compare=compare, repetition_penalty=repetition_penalty,
        temperature=temperature, top_k=top_k, top_p=top_p, greedy=greedy, seed=seed, max_new_tokens=most, scored=scored,
    )  # fmt: skip
    opened = page.opens_with(partial(answers.show_next_tokens, app), next_token, [*next_views, whole_left, whole_right])
    page.on(opened.then, partial(answers.show_surprises, app), surprises, [*surprise_views, place_left, place_right])


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

        chosen = answers.settings(not do_sample, temperature, top_k, top_p, repetition_penalty, seed, max_new_tokens)
        loaded = app.library.language_model(model)
        stream = TextStream(loaded.model, loaded.tokenizer, checked(prompt, app.config.max_characters), chosen)
        until, so_far = time.monotonic() + answers.SECONDS, ""
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
        chosen = answers.settings(not do_sample, temperature, top_k, top_p, repetition_penalty)
        loaded = app.library.language_model(model)
        stages, _ = answers.next_token(loaded, checked(text, app.config.max_characters), chosen)
        return records(loaded.tokenizer, stages, most)

    return {"generate": api_generate, "next_token": api_next_token}
