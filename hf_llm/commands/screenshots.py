"""Pictures of the web app's pages in both languages.

From the models that are here, for the README.

    make demo mnist
    hf-llm screenshots --output_dir docs/screenshots

Needs Chromium on this machine, and playwright (pip install -e ".[test]").
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import command, parse, require, setting

# what stands in the URL of each picture, so that it shows the page at work
SHOWN = {"home": {"step": "mask"}, "inside": {"part": "attention", "layer": "1"}}
CHOSEN = {"home": "input[type=radio]"}  # the first of these is chosen before: a prediction
WIDTH, HEIGHT = 1100, 1000


@dataclass
class ScreenshotsConfig:
    """What is photographed, and where the pictures go."""

    output_dir: str = setting(..., "folder for <page>.<language>.png")
    runs: str = setting("runs", "folder of run folders, as of `hf-llm app`")
    wait: float = setting(4.0, "seconds that a page gets to calculate what it shows")


@command
def main() -> None:
    config = parse(ScreenshotsConfig, description=__doc__)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    require(chromium is not None, "no Chromium on this machine; install the package chromium of your system")
    from playwright.sync_api import sync_playwright

    from hf_llm.app.config import AppConfig
    from hf_llm.app.server.build import PAGES, launch

    folder = Path(config.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    blocks = launch(AppConfig(runs=config.runs, port=0))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name in PAGES:
            for lang in ("pt-BR", "en"):
                query = "&".join(f"{name}={value}" for name, value in {"lang": lang, **SHOWN.get(name, {})}.items())
                page.goto(f"{blocks.local_url}{'' if name == 'home' else name}?{query}")
                page.wait_for_selector(".navigation nav")
                page.wait_for_timeout(1000 * config.wait)
                if name in CHOSEN:
                    page.locator(CHOSEN[name]).first.check()
                    page.wait_for_timeout(1000 * config.wait)
                page.screenshot(path=folder / f"{name}.{lang}.png")
                print(folder / f"{name}.{lang}.png")
        browser.close()
    blocks.close()
