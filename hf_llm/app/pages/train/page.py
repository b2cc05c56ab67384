"""A GPT-2 that is trained in the page: live curves and samples; pause, resume, stop; the run folder to take home."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import App, Controls, Page
from hf_llm.app.pages.train import answers
from hf_llm.app.pages.train.recipe import CORPORA, LIMITS, PRESETS, PROMPT, SETTINGS, SIZES, preset_values
from hf_llm.app.server.trainings import TITLE

EVERY = 2.0  # seconds between two looks at a training; each is a call, of which a session has so many a minute
# the URL names the training, so that a reload of the page finds it
INTO_URL = """(run) => {
  const url = new URL(location.href);
  url.searchParams.set("run", run);
  history.replaceState(null, "", url);
}"""


def build(page: Page) -> None:
    app = page.app
    gr.Markdown(t("train.public"))
    chosen = gr.Radio([(t(f"train.preset.{name}"), name) for name in PRESETS], value="demo", label=t("app.preset"))
    why = page.view()
    controls = _controls(app)
    title = gr.Textbox(label=t("train.called"), info=t("train.called_info"), max_length=TITLE)
    own = gr.Textbox(
        label=t("train.own"), info=t("train.own_info"), lines=5, max_length=10 * app.config.max_characters,
        visible=False,
    )  # fmt: skip
    with gr.Row():
        start = gr.Button(t("train.start"), variant="primary")
        pause = gr.Button(t("train.pause"), interactive=False)
        resume = gr.Button(t("train.resume"), interactive=False)
        stop = gr.Button(t("train.stop"), variant="stop", interactive=False)
    run = gr.Textbox(visible="hidden", label="run", container=False)
    last, owner, seen, timer = last_training(), this_browser(), gr.State(""), gr.Timer(EVERY, active=False)
    status, curves, samples, command = page.view(), page.view(), page.view(), page.view()
    download = page.view()
    mine = {"run": run, "owner": owner}
    shown = [seen, status, curves, samples, command, timer, pause, resume, stop, download]

    page.on(chosen.input, answers.choose, {"preset": chosen}, [*controls.values(), why])
    page.on(
        controls["corpus"].change, lambda app, *, corpus, lang: gr.update(visible=corpus == "own"),
        {"corpus": controls["corpus"]}, own,
    )  # fmt: skip
    given = {**controls, "own": own, "title": title, "owner": owner}
    started = page.on(start.click, answers.begin, given, [run, last, owner])
    started.success(None, run, None, js=INTO_URL, api_visibility="private")
    page.on(started.success, answers.show, mine, shown)
    for button, act in ((pause, answers.pause), (resume, answers.resume), (stop, answers.stop)):
        acted = page.on(button.click, act, mine, [])
        page.on(acted.then, answers.show, mine, shown)
    page.on(timer.tick, answers.show, {**mine, "seen": seen}, shown)

    page.settings(locks=[chosen], preset=chosen, **controls, run=run)
    opened = page.opens_with(answers.reason, {"preset": chosen}, why)
    found = page.on(opened.then, answers.find_again, {"run": run, "last": last}, run)
    page.on(found.then, answers.show, mine, shown)


def last_training() -> gr.BrowserState:
    """Return the name of the training that this browser started last."""
    return gr.BrowserState("", storage_key="hf_llm_training", secret="a name, no secret")


def this_browser() -> gr.BrowserState:
    """Return the secret by which this browser may pause, resume and stop its trainings; a link does not hold it."""
    return gr.BrowserState("", storage_key="hf_llm_owner", secret="kept where it is read")


def _controls(app: App) -> Controls:
    """Return {setting: control}, all of `SETTINGS` in their order, with the recipe's values."""
    most = app.config.training_steps
    usual = preset_values("demo", most)

    def label(name: str) -> dict:
        return {"label": t(f"train.setting.{name}"), "info": t(f"train.info.{name}")}

    def slider(name: str, step: float) -> gr.Slider:
        low, high = LIMITS[name]
        high = max(high or most, low + step)  # a slider has two ends
        return gr.Slider(low, high, usual[name], step=step, **label(name))

    def number(name: str, **options) -> gr.Number:
        low, high = LIMITS[name]
        return gr.Number(usual[name], minimum=low, maximum=high, **label(name), **options)

    def choice(name: str, names: tuple[str, ...]) -> gr.Dropdown:
        return gr.Dropdown(
            [(t(f"train.{name}.{one}"), one) for one in names], value=usual[name], label=t(f"train.setting.{name}")
        )

    made = {}
    with gr.Group():
        with gr.Row():
            made["corpus"], made["model"] = choice("corpus", CORPORA), choice("model", SIZES)
        with gr.Row():
            made["max_steps"] = slider("max_steps", 1)
            made["learning_rate"] = number("learning_rate", step=1e-4)
            made["vocab_size"] = slider("vocab_size", 1)
    with gr.Accordion(t("train.more"), open=False):
        with gr.Row():
            for name in ("dropout", "input_noise", "bpe_dropout"):
                made[name] = slider(name, 0.05)
        with gr.Row():
            made["n_positions"] = slider("n_positions", 1)
            made["warmup_steps"] = slider("warmup_steps", 0.05)
            made["seed"] = number("seed", precision=0)
        made["sample_prompt"] = gr.Textbox(usual["sample_prompt"], max_length=PROMPT, **label("sample_prompt"))
    return {name: made[name] for name in SETTINGS}
