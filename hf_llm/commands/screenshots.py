"""Pictures of the web app's pages in both languages.

From the models that are here, for the README; or of every page, wide and narrow, light and dark, to be looked at.

    make demo mnist
    hf-llm screenshots --output_dir docs/screenshots
    hf-llm screenshots --output_dir pictures --every

Needs Chromium on this machine, and playwright (pip install -e ".[test]").
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import command, parse, require, setting

# what stands in the URL of each picture, so that it shows the page at work
SHOWN = {"home": {"step": "mask"}, "inside": {"part": "attention", "layer": "1"}}
CHOSEN = {"home": "input[type=radio]"}  # the first of these is chosen before: a prediction
SIZE = {"width": 1100, "height": 1000}
SIZES = ({"width": 1280, "height": 720}, {"width": 390, "height": 844})
SCHEMES = ("light", "dark")
DRAWN = "() => !('drawing' in document.body.dataset)"  # a page is pale while its new drawing is on its way


@dataclass
class ScreenshotsConfig:
    """What is photographed, and where the pictures go."""

    output_dir: str = setting(..., "folder for <page>.<language>.png")
    runs: str = setting("runs", "folder of run folders, as of `hf-llm app`")
    wait: float = setting(4.0, "seconds that a page gets to calculate what it shows")
    every: bool = setting(
        False, "whole pages, each on a desktop and a telephone, light and dark: <page>.<language>.<width>.<scheme>.png"
    )


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
        page = browser.new_page(viewport=SIZES[0] if config.every else SIZE)
        for name in PAGES:
            for lang in ("pt-BR", "en"):
                query = "&".join(f"{name}={value}" for name, value in {"lang": lang, **SHOWN.get(name, {})}.items())
                page.goto(f"{blocks.local_url}{'' if name == 'home' else name}?{query}")
                page.wait_for_selector(".navigation nav")
                page.wait_for_timeout(1000 * config.wait)
                if name in CHOSEN:
                    page.locator(CHOSEN[name]).first.check()
                    page.wait_for_timeout(1000 * config.wait)
                page.wait_for_function(DRAWN)
                if config.every:
                    photograph_everywhere(page, folder, f"{name}.{lang}")
                else:
                    photograph(page, folder / f"{name}.{lang}.png")
        browser.close()
    blocks.close()


def photograph_everywhere(page, folder: Path, name: str) -> None:
    """Take the whole page in each size and colour scheme."""
    for size in SIZES:
        page.set_viewport_size(size)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(300)  # nothing is calculated for that
            photograph(page, folder / f"{name}.{size['width']}.{scheme}.png", full_page=True)
    page.set_viewport_size(SIZES[0])
    page.emulate_media(color_scheme=SCHEMES[0])


def photograph(page, path: Path, **how: bool) -> None:
    page.screenshot(path=path, **how)
    print(path)
