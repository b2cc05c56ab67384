"""Tokens with their ids and bytes, tokenizers side by side, and a BPE that is trained and replayed in the page."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.tokenizer import answers
from hf_llm.app.pages.tokenizer.answers import APPLIED, CORPORA, LARGEST, PAIR, PRESETS, SMALLEST

VOCAB_SIZE = 400  # tokens that a training makes at first


def build(page: Page) -> None:
    most, names = page.app.config.max_characters, answers.available(page.app)
    preset = gr.Dropdown([(t(f"tokenizer.preset.{name}"), name) for name in PRESETS], value=None, label=t("app.preset"))
    why = page.view()
    with gr.Group():
        text = gr.Textbox(PAIR["pt-BR"], label=t("tokenizer.text"), lines=3, max_length=most)
        tokenizers = gr.CheckboxGroup(names, value=names[:2], label=t("tokenizer.tokenizers"))
    encoded = page.view()
    with gr.Accordion(t("tokenizer.cost_title"), open=False):
        gr.Markdown(t("tokenizer.cost_intro"))
        cost = page.view()

    with gr.Accordion(t("tokenizer.train_title"), open=False):
        gr.Markdown(t("tokenizer.train_intro"))
        with gr.Row():
            corpus = gr.Dropdown(
                [(t(f"tokenizer.corpora.{name}"), name) for name in CORPORA], value="the-verdict",
                label=t("tokenizer.corpus"),
            )  # fmt: skip
            vocab_size = gr.Slider(SMALLEST, LARGEST, VOCAB_SIZE, step=1, label=t("tokenizer.column.vocab_size"))
        own = gr.Textbox(label=t("tokenizer.own"), lines=4, max_length=10 * most, visible=False)
        train = gr.Button(t("tokenizer.train"), variant="primary")
        merges, learned = gr.State([]), gr.State("")
        with gr.Row(equal_height=True):
            back = gr.Button(t("tokenizer.back"), scale=1)
            step = gr.Slider(0, VOCAB_SIZE - SMALLEST, 0, step=1, label=t("tokenizer.step"), scale=4)
            forward = gr.Button(t("tokenizer.forward"), scale=1)
        replayed = page.view()
        other = gr.Textbox(PAIR["en"], label=t("tokenizer.other"), lines=2, max_length=APPLIED)
        applied = page.view()

    encoding = {"text": text, "tokenizers": tokenizers}
    page.picked(preset, answers.choose_preset, [text, why])
    page.on(
        [control.change for control in encoding.values()], answers.show_encodings, encoding, encoded,
        trigger_mode="always_last",
    )  # fmt: skip
    page.on(corpus.change, answers.choose_corpus, {"corpus": corpus}, own)
    replay = {"merges": merges, "step": step}
    trained = page.on(
        train.click, answers.train, {"corpus": corpus, "own": own, "vocab_size": vocab_size}, [merges, learned, step],
        kind="calculation",
    )  # fmt: skip
    for event in (trained.then, step.change):
        page.on(event, answers.show_merge, {**replay, "learned": learned}, replayed, trigger_mode="always_last")
    for event in (trained.then, step.change, other.change):
        page.on(event, answers.show_applied, {**replay, "other": other}, applied, trigger_mode="always_last")
    page.on(back.click, answers.step_back, replay, step)
    page.on(forward.click, answers.step_forward, replay, step)

    page.settings(locks=[preset], text=text, corpus=corpus, vocab_size=vocab_size, other=other)
    opened = page.opens_with(answers.show_encodings, encoding, encoded)
    page.on(opened.then, answers.show_cost, {"tokenizers": tokenizers}, cost)
