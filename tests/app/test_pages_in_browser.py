"""Every page in a real browser: both languages, wide and narrow, light and dark, by keyboard, with hostile texts."""

import shutil

import pytest
from hostile_texts import HOSTILE

from hf_llm.app.pages.inside.answers import PARTS
from hf_llm.app.server.build import PAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
PATHS = ["" if page == "home" else page for page in PAGES]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch(browser, server):
    """Return a new page of the browser, watched."""
    from page_checks import Watched

    contexts = []

    def open_one(width: int = 1280, scheme: str = "light", bypass_csp: bool = False) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=bypass_csp
        )
        contexts.append(context)
        return Watched(context.new_page(), server)

    yield open_one
    for context in contexts:
        context.close()


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_well(watch, path, lang):
    seen = watch(1280, "light")
    seen.open(path, lang)
    assert seen.page.evaluate("document.documentElement.lang") == lang
    for scheme in ("light", "dark"):  # one opening for all: it takes most of the time
        seen.page.emulate_media(color_scheme=scheme)
        for width, height in ((1280, 900), (390, 844)):
            seen.page.set_viewport_size({"width": width, "height": height})
            seen.settle()
            assert seen.page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
            assert seen.problems() == [], f"{scheme}, {width} px wide"


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("document.body.insertAdjacentHTML('beforeend', '<div style=width:3000px>x</div>')", "px wide"),
        ("document.body.insertAdjacentHTML('beforeend', '<p>tokenizer.no_such_text</p>')", "untranslated"),
        ("console.error('a fault')", "console error"),
        ("document.body.insertAdjacentHTML('beforeend', '<div class=toast-body>a fault</div>')", "error: a fault"),
        ("fetch('http://192.0.2.1/x').catch(() => {})", "another host"),
        ("document.body.insertAdjacentHTML('beforeend', '<button></button>')", "button-name"),
        ("document.querySelector('.navigation span:lang(en)').style.cssText = 'color: #ccc'", "contrast"),
    ],
)
def test_the_checks_find_a_fault(watch, fault, found):
    seen = watch(bypass_csp=found == "another host")  # which the security policy would stop before it is a request
    seen.open("train", "en")  # the page with the least on it
    assert seen.problems() == []
    seen.page.evaluate(f"() => {{ {fault} }}")
    seen.page.wait_for_timeout(300)
    assert any(found in problem for problem in seen.problems())


def test_the_security_policy_stops_a_request_to_another_host(watch):
    seen = watch()
    seen.open("", "en")
    seen.page.evaluate("() => fetch('http://192.0.2.1/x').catch(() => {})")
    seen.page.wait_for_timeout(300)
    assert any("Content Security Policy" in error for error in seen.errors)


@pytest.mark.parametrize("path", [path for path in PATHS if path])
def test_hostile_texts_stay_text(watch, path):
    seen = watch()
    seen.open(path, "en")
    fields = seen.page.locator("textarea:visible:not([readonly]):not([disabled])").all()
    for text in HOSTILE.values():
        for field in fields:
            field.fill(text)
        seen.settle()
        assert all(field.input_value() == text for field in fields)
    assert seen.page.evaluate("window.__x") is None
    assert seen.console() == []


def test_a_url_restores_and_locks_the_settings(watch):
    seen = watch()
    seen.open("tokenizer", "en", text="one%20two%26three", vocab_size="300", lock="1")
    field = seen.page.get_by_label("Text", exact=True)
    assert field.input_value() == "one two&three"
    assert field.is_disabled()
    assert seen.page.get_by_role("button", name="Train").is_enabled()


def test_a_locked_page_opens_no_other_lab(watch):
    seen = watch()
    button = seen.page.get_by_role("button", name="Open the lab")
    seen.open("foundations", "en")
    assert button.is_visible()
    seen.open("foundations", "en", lock="1")
    assert button.count() == 0


def test_the_link_to_share_holds_the_settings(watch):
    seen = watch()
    seen.open("tokenizer", "pt-BR")
    seen.page.get_by_label("Texto", exact=True).fill("á & b")
    seen.page.get_by_text("Compartilhar esta página").click()
    seen.page.get_by_role("button", name="Criar link").first.click()
    link = seen.page.get_by_label("Link com estas configurações")
    seen.settle()
    url = link.input_value()
    assert "lang=pt-BR" in url
    seen.page.goto(url)
    seen.settle()
    assert seen.page.get_by_label("Texto", exact=True).input_value() == "á & b"


def test_the_keyboard_reaches_every_token(watch):
    seen = watch()
    seen.open("tokenizer", "en", text="abc")
    buttons = seen.page.locator("ol.tokens").first.locator("button")
    buttons.first.focus()
    for place in range(1, buttons.count()):
        seen.page.keyboard.press("ArrowRight")
        assert buttons.nth(place).evaluate("(button) => button === document.activeElement")
    assert seen.page.locator("ol.tokens").first.locator('[tabindex="0"]').count() == 1


def test_a_merge_is_walked_by_keyboard(watch):
    seen = watch()
    seen.open("tokenizer", "en", corpus="sample")
    seen.page.get_by_role("button", name="Train").press("Enter")
    seen.page.get_by_text("Step 1:").wait_for()
    seen.page.get_by_role("button", name="Step forward").press("Enter")
    seen.page.get_by_text("Step 2:").wait_for()
    seen.page.get_by_role("button", name="Step back").press("Enter")
    seen.page.get_by_text("Step 1:").wait_for()
    assert seen.problems() == []


def test_the_keyboard_reaches_every_cell_and_chooses_it(watch):
    seen = watch()
    seen.open("inside", "en", text="abc", part="attention")
    table = seen.page.locator("table.heat").first
    cells = table.locator("button")
    count = cells.count()
    assert count > 3
    assert table.locator('[tabindex="0"]').count() == 1
    cells.first.focus()
    for place in range(1, count):
        seen.page.keyboard.press("ArrowRight")
        assert cells.nth(place).evaluate("(cell) => cell === document.activeElement")
    seen.page.keyboard.press("ArrowLeft")  # above the last cell there is none: the future is masked
    seen.page.keyboard.press("ArrowUp")
    above = seen.page.evaluate("document.activeElement.dataset.choose")
    assert above == "2,2"
    seen.page.keyboard.press("Enter")
    seen.settle()
    chosen = table.locator('[aria-pressed="true"]')
    assert chosen.get_attribute("data-choose") == above
    assert chosen.evaluate("(cell) => cell === document.activeElement")  # the focus survived the redraw


@pytest.mark.parametrize("part", PARTS)
def test_each_part_inside_is_well(watch, part):
    seen = watch(390, "dark")
    seen.open("inside", "pt-BR", part=part)
    assert seen.problems() == []


def test_an_answered_question_is_well(watch):
    seen = watch(390)
    seen.open("discussion", "pt-BR", question="L31")
    seen.page.get_by_role("button", name="Ver a resposta").click()
    seen.page.get_by_text("Primeiro a sua previsão").wait_for()
    seen.page.get_by_label("Outra coisa; escrevo abaixo").check()
    seen.page.get_by_label("Por quê? Explique com as suas palavras").fill("<b>acho</b>")
    seen.page.get_by_role("button", name="Ver a resposta").click()
    seen.page.get_by_text("Perguntas para a turma").wait_for()
    seen.settle()
    assert seen.problems() == []


@pytest.mark.parametrize("text", ["'a' + String.fromCharCode(0xd800) + 'b'", "'a'.repeat(1e6)"], ids=["half", "long"])
@pytest.mark.parametrize("path", ["tokenizer", "inside", "generate"])
def test_what_no_keyboard_types_is_refused(watch, path, text):
    seen = watch()
    seen.open(path, "en")
    seen.page.locator("textarea:visible").first.evaluate(  # past the browser's own limit of the length
        f"(field) => {{ field.value = {text}; field.dispatchEvent(new Event('input', {{bubbles: true}})); }}"
    )
    seen.settle()
    said = seen.page.inner_text("body")
    assert "surrogate pair" in said or "the most allowed here is" in said
    assert seen.console() == []
