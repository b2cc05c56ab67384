"""What a page must not do, found by looking at it in a browser. Each check returns what it found; nothing means well.

The checks are shared: test_pages_in_browser.py looks at every page with them, and a test puts a fault of each
kind into a page and sees them find it.
"""

import re
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

from hf_llm.app.i18n import keys

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
KEY = re.compile(r"\b(?:" + "|".join(sorted({key.split(".")[0] for key in keys()})) + r")\.[a-z]\w+\b|__i18n__")


class Watched:
    """A page of the browser with what it said on the console and asked of other hosts."""

    def __init__(self, page: Page, base: str):
        self.page, self.base = page, base
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.on("console", lambda entry: self.errors.append(entry.text) if entry.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.outside.append(request.url) if self._outside(request.url) else None)

    def _outside(self, url: str) -> bool:
        return not url.startswith((self.base, "data:", "blob:", self.base.replace("http", "ws")))

    def open(self, path: str, lang: str, **settings) -> None:
        """Open a page and wait until what it calculates at the start is there."""
        query = "&".join(f"{name}={value}" for name, value in {"lang": lang, **settings}.items())
        self.page.goto(f"{self.base}{path}?{query}")
        self.page.wait_for_selector(".navigation nav")
        self.settle()

    def settle(self, quiet: int = 500) -> None:
        """Wait until nothing on the page has changed for `quiet` milliseconds."""
        self.page.evaluate(
            """(quiet) => new Promise((resolve) => {
              let timer = setTimeout(done, quiet);
              const observer = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, quiet); });
              const latest = setTimeout(done, 15000);
              function done() { observer.disconnect(); clearTimeout(timer); clearTimeout(latest); resolve(); }
              observer.observe(document.body, { childList: true, subtree: true, characterData: true });
            })""",
            quiet,
        )

    def problems(self, **axe) -> list[str]:
        """Return everything that is wrong with the page as it stands; `axe` are options of axe-core's."""
        found = [*too_wide(self.page), *untranslated(self.page), *failed(self.page)]
        return [*found, *self.console(), *self.requests(), *barriers(self.page, axe)]

    def console(self) -> list[str]:
        return [f"console error: {error}" for error in self.errors]

    def requests(self) -> list[str]:
        return [f"request to another host: {url}" for url in self.outside]


def too_wide(page: Page) -> list[str]:
    """A page that scrolls sideways."""
    scroll, client = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return [f"the page is {scroll} px wide in a window of {client}"] if scroll > client else []


def untranslated(page: Page) -> list[str]:
    """A key of a text where the text should be."""
    return [f"untranslated: {key}" for key in sorted(set(KEY.findall(page.inner_text("body"))))]


def failed(page: Page) -> list[str]:
    """An error that Gradio shows: a handler has raised something."""
    return [f"error: {toast}" for toast in page.locator(".toast-body, p.said").all_inner_texts()]


def barriers(page: Page, options: dict) -> list[str]:
    """What axe-core calls serious or critical."""
    page.evaluate(AXE)
    found = page.evaluate("(options) => axe.run(document, options)", {"resultTypes": ["violations"], **options})
    return [
        f"axe, {violation['impact']}: {violation['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
