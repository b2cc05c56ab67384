"""How long a visitor of the web app waits: from the command to the first page, for a token view, for a look inside.

Measured where the visitor is: in Chromium for the pages, in `gradio_client` for the endpoint. The model is one of the
demo's size, trained for a moment, since its quality changes no time.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from gradio_client import Client

from hf_llm.benchmarks.app_load import ROOT
from hf_llm.benchmarks.record import write_result
from hf_llm.config import require
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

PORT, STARTS, CALLS, TOKENS = 7991, 3, 15, 64
WORDS = "O gato que estava no quarto do apartamento 3 foi encontrado ontem. " * 4


def run(output_dir: Path) -> None:
    """Start the app a few times, use it, write result.json; two minutes."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    require(chromium is not None, "no Chromium on this machine; install the package chromium of your system")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder) / "runs"
        pretrain(
            PretrainConfig(
                output_dir=str(runs / "story"), corpus="sample", model="micro", vocab_size=1600, n_positions=TOKENS,
                max_steps=10, warmup_steps=0, precision="fp32", threads=1, attention="eager",
            )
        )  # fmt: skip
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        starts = []
        for _ in range(STARTS):
            page, began = browser.new_page(), time.monotonic()
            server = subprocess.Popen(
                [sys.executable, "space_app.py", "--runs", str(runs), "--port", str(PORT)],
                cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                first_page(page, server)
                starts.append(time.monotonic() - began)
                if len(starts) == STARTS:
                    views, inside = token_views(page), looks_inside()
            finally:
                server.terminate()
                server.wait()
        browser.close()
    write_result(
        output_dir,
        {
            "timings": {
                "first_page_seconds": [round(seconds, 2) for seconds in starts],
                "token_view_seconds": summary(views),
                "inspect_64_tokens_seconds": summary(inside),
            }
        },
    )
    print({"first page": starts, "token view": summary(views), "inspect": summary(inside)})


def first_page(page, server: subprocess.Popen) -> None:
    """Open the app as soon as it listens, and return when the first page shows the models."""
    while True:
        require(server.poll() is None, "the app did not start")
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
            break
        except OSError:  # nobody listens yet; a browser that asked again and again would take its time away
            time.sleep(0.05)
    page.goto(f"http://127.0.0.1:{PORT}/?lang=en", wait_until="commit")
    page.get_by_role("cell", name="story").wait_for()


def token_views(page) -> list[float]:
    """Return the seconds from a change of the text to its new tokens on the page."""
    page.goto(f"http://127.0.0.1:{PORT}/tokenizer?lang=en")
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
    client, seconds = Client(f"http://127.0.0.1:{PORT}", verbose=False), []
    for number in range(CALLS):
        began = time.monotonic()
        seen = client.predict(WORDS, "story", number % 4, number % 4, api_name="/inspect")
        seconds.append(time.monotonic() - began)
    require(len(seen["tokens"]) == TOKENS, f"the text has {len(seen['tokens'])} tokens, not {TOKENS}")
    return seconds


def summary(seconds: list[float]) -> dict[str, float]:
    return {"median": round(median(seconds), 3), "slowest": round(max(seconds), 3)}
