"""A model writes: streamed, stopped, seeded; what each setting does to the next token; what surprises the model."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.generate import answers
from hf_llm.app.pages.generate.answers import MOST_NEW, PRESETS, example


def build(page: Page) -> None:
    app = page.app
    names, longest = app.library.language_models(), app.config.max_characters
    second = []  # columns of the second model

    def pair() -> tuple[gr.HTML, gr.HTML]:
        """Return two views side by side, the second hidden until two models are compared."""
        with gr.Row():
            with gr.Column(min_width=260):
                left = page.view()
            with gr.Column(min_width=260, visible=False) as column:
                right = page.view()
        second.append(column)
        return left, right

    with gr.Row():
        with gr.Column(scale=2, min_width=320):  # what is set, and beside it what comes of it
            with gr.Group():
                prompt = gr.Textbox(label=t("generate.prompt"), lines=2, max_length=longest)
                model = gr.Dropdown(names, value=next(iter(names), None), label=t("app.model"))
            with gr.Row():
                start = gr.Button(t("generate.start"), variant="primary", min_width=120)
                stop = gr.Button(t("generate.stop"), variant="stop", min_width=120)
            preset = gr.Dropdown(
                [(t(f"generate.preset.{name}"), name) for name in PRESETS], value=None, label=t("app.preset")
            )
            with gr.Group():
                with gr.Row():
                    temperature = gr.Slider(
                        0.1, 3, 1, step=0.05, label=t("generate.setting.temperature"), min_width=200
                    )
                    top_p = gr.Slider(
                        0.05, 1, 0.9, step=0.01, label=t("generate.setting.top_p"), info=t("generate.top_p_off"),
                        min_width=200,
                    )  # fmt: skip
                greedy = gr.Checkbox(False, label=t("generate.greedy"), info=t("generate.greedy_info"))
            with gr.Accordion(t("generate.more"), open=False):
                top_k = gr.Slider(0, 200, 0, step=1, label=t("generate.setting.top_k"), info=t("generate.top_k_off"))
                repetition_penalty = gr.Slider(1, 4, 1, step=0.05, label=t("generate.setting.repetition_penalty"))
                seed = gr.Number(0, label=t("generate.seed"), precision=0, minimum=0, maximum=2**31 - 1)
                most = gr.Slider(1, MOST_NEW, 80, step=1, label=t("generate.max_new_tokens"))
                compare = gr.Checkbox(False, label=t("generate.compare"))
                other = gr.Dropdown(names, value=next(iter(names[1:] or names), None), label=t("generate.other"))
        with gr.Column(scale=3, min_width=320, elem_classes="doing"):
            status = page.view()
            texts = pair()
            why = page.view()
            next_tokens = pair()
    written = gr.State("")
    call, next_call = page.view(), page.view()
    with gr.Accordion(t("generate.all_numbers"), open=False):
        whole = gr.Button(t("generate.whole"))
        vocabulary = pair()
    with gr.Accordion(t("generate.surprise"), open=False):
        gr.Markdown(t("generate.surprise_intro"))
        scored = gr.Textbox(label=t("generate.scored"), lines=3, max_length=longest)
        take = gr.Button(t("generate.take"))
        coloured = pair()
        expected = pair()
        scored_call = page.view()

    choice = dict(
        greedy=greedy, temperature=temperature, top_k=top_k, top_p=top_p, repetition_penalty=repetition_penalty
    )
    models = dict(model=model, other=other, compare=compare)
    asked = {**models, "prompt": prompt, **choice, "seed": seed}
    page.picked(preset, answers.choose_preset, [*choice.values(), why])
    writing = page.on(
        start.click, answers.write, {**asked, "max_new_tokens": most}, [*texts, status, call, written],
        kind="writing",
    )  # fmt: skip
    start.click(None, None, None, js="() => hf_llm.show('.doing')", api_visibility="private")
    halted = stop.click(None, cancels=[writing], api_visibility="private")
    page.on(halted.then, answers.stopped, {}, status)  # afterwards, or the last token overwrites it
    page.on(
        compare.change, lambda app, *, compare, lang: [gr.update(visible=compare)] * len(second), {"compare": compare},
        second,
    )  # fmt: skip

    shown_next = [*next_tokens, next_call, *vocabulary]
    changes = [control.change for control in asked.values()]
    page.on(changes, answers.show_next_tokens, asked, shown_next, trigger_mode="always_last")
    page.on(whole.click, answers.show_vocabularies, asked, [*vocabulary], kind="calculation")
    surprising, shown_surprises = {**models, "scored": scored}, [*coloured, scored_call, *expected]
    changes = [control.change for control in surprising.values()]
    page.on(changes, answers.show_surprises, surprising, shown_surprises, trigger_mode="always_last")
    page.on(take.click, answers.take, {"written": written, "scored": scored}, scored)
    for name, text, below in zip((model, other), coloured, expected):
        page.chosen(text, answers.show_expected, {"model": name, "scored": scored}, [text, below])

    drawn = {"greedy": [False]}
    needs = {"other": {"compare": [True]}, **dict.fromkeys(("temperature", "top_k", "top_p", "seed"), drawn)}
    page.settings(
        {"model": app.library.language_models, "other": lambda lang: second_first(app.library.language_models(lang))},
        [preset],
        {"text": lambda lang: example(app, lang).prompt, "scored": lambda lang: example(app, lang).scored},
        needs, text=prompt, **models, **choice, seed=seed, max_new_tokens=most, scored=scored,
    )  # fmt: skip
    opened = page.opens_with(answers.show_next_tokens, asked, shown_next)
    page.on(opened.then, answers.show_surprises, surprising, shown_surprises)


def second_first(names: list[str]) -> list[str]:
    """Return the names with the second on top: the model beside the first one is another, where there is another."""
    return [*names[1:2], *names[:1], *names[2:]]
