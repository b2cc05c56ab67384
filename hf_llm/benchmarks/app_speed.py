"""How long a visitor of the web app waits: from the command to the first page, for a token view, for a look inside.

Measured where the visitor is: in Chromium for the pages, in `gradio_client` for the endpoint. The model is one of the
demo's size, trained for a moment, since its quality changes no time.
"""

import shutil
import tempfile
import time
from pathlib import Path

from gradio_client import Client

from hf_llm.benchmarks.app_process import ADDRESS, running_app, train_story
from hf_llm.benchmarks.record import spread, write_result
from hf_llm.config import require

STARTS, CALLS, TOKENS = 3, 15, 64
WORDS = "O gato que estava no quarto do apartamento 3 foi encontrado ontem. " * 4


def run(output_dir: Path) -> None:
    """Start the app a few times, use it, write result.json; two minutes."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    require(chromium is not None, "no Chromium on this machine; install the package chromium of your system")
    from playwright.sync_api import sync_playwright

    starts = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        train_story(Path(folder), vocab_size=1600, n_positions=TOKENS, max_steps=10, warmup_steps=0)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(STARTS):
            page, began = browser.new_page(), time.monotonic()
            with running_app(Path(folder)):
                page.goto(f"{ADDRESS}/?lang=en&step=mask", wait_until="commit")
                page.locator("ol.path").wait_for()  # the step is there
                page.wait_for_function("document.querySelector('.setting-model input')?.value === 'story'")
                starts.append(time.monotonic() - began)
                if len(starts) == STARTS:
                    views, inside = spread(token_views(page)), spread(looks_inside())
        browser.close()
    firsts = [round(seconds, 2) for seconds in starts]
    timings = {"first_page_seconds": firsts, "token_view_seconds": views, "inspect_64_tokens_seconds": inside}
    write_result(output_dir, timings=timings)
    print(timings)


def token_views(page) -> list[float]:
    """Return the seconds from a change of the text to its new tokens on the page."""
    page.goto(f"{ADDRESS}/tokenizer?lang=en")
    field = page.get_by_label("Text", exact=True)
    page.locator("ol.tokens button").first.wait_for()
    seconds = []
    for number in range(CALLS):
        began = time.monotonic()
        field.fill(f"{number} gatos")
        page.locator("ol.tokens").first.get_by_text(str(number)[0], exact=True).first.wait_for()
        seconds.append(time.monotonic() - began)
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
