"""How long a visitor of the web app waits: from the command to the first page, for a token view, for a look inside,
and for a change in the picture of a model.

Beside the first page, in turn, that of a Gradio app with nothing but one list: how much of it is Gradio.

Measured where the visitor is: in Chromium for the pages, in `gradio_client` for the endpoint. The models are one of the
demo's size and a GPT-2 small, each trained for a moment, since their quality changes no time.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from gradio_client import Client

from hf_llm.benchmarks.app_process import ADDRESS, PORT, listening, running_app, train_story
from hf_llm.benchmarks.record import spread, write_result
from hf_llm.config import require
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

STARTS, CALLS, TOKENS = 3, 15, 64
SENTENCE = "The cat that slept was found by the old painter."
WORDS = "O gato que estava no quarto do apartamento 3 foi encontrado ontem. " * 4

# the least that a Gradio app can show of a model: its name in a list
LEAST = f"""
import gradio as gr
with gr.Blocks() as app:
    gr.Dropdown(["story"], label="Model", elem_classes="setting-model")
app.launch(server_port={PORT}, quiet=True)
"""
MODEL = "document.querySelector('.setting-model input')?.value === 'story'"

# clicks or writes, and answers with the milliseconds until the page holds what is asked and shows it; Playwright, which
# looks from outside, looks every half second
UNTIL = """([act, asked, value]) => new Promise((done) => {
  const began = performance.now();
  const painted = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  const seen = new MutationObserver(() => {
    const found = document.evaluate(asked, document, null, XPathResult.BOOLEAN_TYPE).booleanValue;
    if (found) { seen.disconnect(); painted(); }
  });
  seen.observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
  const element = document.querySelector(act);
  if (value === null) { element.dispatchEvent(new MouseEvent("click", { bubbles: true })); return; }
  element.value = value;
  element.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def run(output_dir: Path) -> None:
    """Start the app a few times, use it, write result.json; five minutes."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    require(chromium is not None, "no Chromium on this machine; install the package chromium of your system")
    from playwright.sync_api import sync_playwright

    firsts, least = [], []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder)
        train_story(runs, vocab_size=1600, n_positions=TOKENS, max_steps=10, warmup_steps=0)
        train_small(runs)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(STARTS):
            with new_page(browser) as (page, began), listening("-c", LEAST):
                page.goto(ADDRESS, wait_until="commit")
                page.wait_for_function(MODEL)
                least.append(round(time.monotonic() - began, 2))
            with new_page(browser) as (page, began), running_app(runs):
                page.goto(f"{ADDRESS}/?lang=en&step=mask&model=story", wait_until="commit")
                page.wait_for_function(f"document.querySelector('ol.path') && {MODEL}")  # the step, and its model
                firsts.append(round(time.monotonic() - began, 2))
                if len(firsts) == STARTS:
                    views, inside = spread(token_views(page)), spread(looks_inside())
                    changes = {model: spread(changes_in_the_picture(page, model)) for model in ("story", "small")}
        browser.close()
    timings = {"first_page_seconds": firsts, "least_gradio_app_seconds": least, "token_view_seconds": views,
               "inspect_64_tokens_seconds": inside, "change_in_the_picture_seconds": changes}  # fmt: skip
    write_result(output_dir, timings=timings)
    print(timings)


@contextmanager
def new_page(browser) -> Iterator[tuple]:
    """Yield a page with nothing in its cache, and the time; an open page would go on asking for its lost app."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    yield page, time.monotonic()
    page.close()


def token_views(page) -> list[float]:
    """Return the seconds from a change of the text to its new tokens; who types is waited for 0.25 s more."""
    page.goto(f"{ADDRESS}/tokenizer?lang=en")
    page.locator("ol.tokens button").first.wait_for()
    page.wait_for_timeout(2000)  # what a page does after it has opened
    seconds = []
    for number in range(CALLS):
        first = "abcdefghijklmnopqrstuvwxyz"[number]
        asked = f"//ol[contains(@class, 'tokens')]/li[1]//*[starts-with(normalize-space(text()), '{first}')]"
        seconds.append(page.evaluate(UNTIL, [".setting-text textarea", asked, f"{first} gatos"]) / 1000)
        page.wait_for_timeout(300)
    return seconds


def looks_inside() -> list[float]:
    """Return the seconds of `/inspect` on a text that fills the context."""
    client, seconds = Client(ADDRESS, verbose=False), []
    for number in range(CALLS):
        began = time.monotonic()
        seen = client.predict(WORDS, "story", number % 4, number % 4, api_name="/inspect")
        seconds.append(time.monotonic() - began)
    require(len(seen["tokens"]) == TOKENS, f"the text has {len(seen['tokens'])} tokens, not {TOKENS}")
    return seconds


def train_small(runs: Path) -> None:
    """Train a GPT-2 small for one step, with the demo's tokenizer."""
    pretrain(PretrainConfig(output_dir=str(runs / "small"), corpus="sample", tokenizer=str(runs / "story"),
                            model="small", n_positions=TOKENS, precision="fp32", max_steps=1, warmup_steps=0,
                            total_batch_size=1, per_device_train_batch_size=1))  # fmt: skip


def changes_in_the_picture(page, model: str) -> list[float]:
    """Return the seconds from a click on another layer or head to the new drawing on the screen."""
    page.goto(f"{ADDRESS}/inside?lang=en&model={model}&text={quote(SENTENCE)}")
    page.locator("svg.wide").wait_for()
    page.wait_for_timeout(2000)  # what a page does after it has opened
    seconds, layer, head = [], 0, 0
    for number in range(CALLS):
        choice = (layer, head) = (1 - layer, head) if number % 2 else (layer, 1 - head)
        opens = f"layer:{layer}" if number % 2 else f"head:{head}"
        asked = "//*[@class='wide' and contains(@aria-label, 'layer {} and head {}')]".format(*choice)
        seconds.append(page.evaluate(UNTIL, [f'svg.wide [data-choose="{opens}"]', asked, None]) / 1000)
        page.wait_for_timeout(700)
    return seconds
