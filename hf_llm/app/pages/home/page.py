"""The first page: which models are here, and where to begin; with none here, a button that trains one."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.page import Page
from hf_llm.app.pages.home.answers import show, train_first
from hf_llm.app.pages.train.page import EVERY, last_training, this_browser


def build(page: Page) -> None:
    models = page.view()
    train = gr.Button(t("home.train_first"), variant="primary", visible=False)
    progress = page.view()
    last, owner, timer = last_training(), this_browser(), gr.Timer(EVERY, active=False)
    look, shown = {"last": last}, [models, train, progress, timer]
    started = page.on(train.click, train_first, {"owner": owner}, [last, owner])
    page.on(started.success, show, look, shown)
    page.on(timer.tick, show, look, shown)
    page.opens_with(show, look, shown)
