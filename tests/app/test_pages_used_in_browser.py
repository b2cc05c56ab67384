"""Pages in a real browser as people use them: by keyboard, by a link with settings, and with hostile texts."""

from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hostile_texts import HOSTILE

from hf_llm.app.server.build import PAGES
from hf_llm.app.server.links import signed_link


@pytest.mark.parametrize("path", [page for page in PAGES if page != "home"])
def test_hostile_texts_stay_text(watch, path):
    seen = watch()
    seen.open(path, "en")
    written = ":is(textarea, .setting-text input):visible:not([readonly]):not([disabled])"
    fields = seen.page.locator(written).all()
    for text in HOSTILE.values():
        for field in fields:
            field.fill(text)
        seen.settle()
        assert all(
            field.input_value() == text[: int(field.get_attribute("maxlength") or len(text))] for field in fields
        )
    assert seen.page.evaluate("window.__x") is None
    assert seen.console() == []


def signed(page: str, lock: list[str], hide: list[str], **settings: str) -> dict[str, str]:
    """Return the settings of a link that a teacher made."""
    link = signed_link(page, f"/{page}?{urlencode(settings)}", lock, hide, [*settings, *lock, *hide])
    return {name: quote(given[0]) for name, given in parse_qs(urlsplit(link).query).items()}


def test_a_link_of_a_teacher_restores_locks_and_hides(watch):
    seen = watch()
    settings = signed("tokenizer", ["text"], ["vocab_size"], text="one two&three", vocab_size="300")
    seen.open("tokenizer", "en", **settings)
    field = seen.page.get_by_label("Text", exact=True)
    assert field.input_value() == "one two&three"
    assert field.is_disabled()
    assert not seen.page.locator(".setting-vocab_size").is_visible()
    assert not seen.page.get_by_role("link", name="Lesson").is_visible()  # it leads out of what is locked
    assert seen.page.get_by_role("link", name="Português").is_visible()
    seen.page.get_by_text("Train a BPE and watch it learn").click()
    assert seen.page.get_by_role("button", name="Train", exact=True).is_enabled()
    assert seen.problems() == []
    seen.open("tokenizer", "en", **{**settings, "lock": ""})
    assert field.is_disabled()
    assert field.input_value() != "one two&three"
    assert "This link was changed" in seen.page.inner_text("body")


def test_a_locked_page_opens_no_other_lab(watch):
    seen = watch()
    button = seen.page.get_by_role("button", name="Open the lab")
    seen.open("foundations", "en")
    assert button.is_visible()
    seen.open("foundations", "en", **signed("foundations", ["lab"], []))
    assert button.count() == 0


def test_the_link_for_a_class_is_made_on_the_page(watch):
    seen = watch()
    seen.open("tokenizer", "en")
    seen.page.get_by_label("Text", exact=True).fill("a & b")
    seen.page.get_by_text("Share this page").click()
    seen.page.locator("fieldset", has_text="Lock").get_by_label("Text", exact=True).check()
    seen.page.get_by_role("button", name="Make the link for the class").click()
    seen.settle()
    code = seen.page.get_by_role("img", name="QR code").bounding_box()
    assert 0 <= code["y"] <= 900 - code["height"]  # it came into sight
    seen.page.goto(seen.page.get_by_label("Link for the class", exact=True).input_value())
    seen.settle()
    field = seen.page.get_by_label("Text", exact=True).first
    assert field.input_value() == "a & b"
    assert field.is_disabled()


def made_link(seen, share: str, make: str, label: str) -> str:
    """Return the link that the page makes of its settings; the words are those of its language."""
    seen.page.get_by_text(share).click()
    seen.page.get_by_role("button", name=make).first.click()
    seen.settle()
    return seen.page.get_by_label(label).input_value()


def test_the_link_to_share_holds_the_settings(watch):
    seen = watch()
    seen.open("tokenizer", "pt-BR")
    seen.page.get_by_label("Texto", exact=True).fill("á & b")
    url = made_link(seen, "Compartilhar esta página", "Criar link", "Link com estas configurações")
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
    seen.page.get_by_text("Train a BPE and watch it learn").click()
    seen.page.get_by_role("button", name="Train", exact=True).press("Enter")
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


@pytest.mark.parametrize("text", ["'a' + String.fromCharCode(0xd800) + 'b'", "'a'.repeat(1e6)"], ids=["half", "long"])
@pytest.mark.parametrize("path", ["tokenizer", "inside", "generate"])
def test_what_no_keyboard_types_is_refused(watch, path, text):
    seen = watch()
    seen.open(path, "en")
    seen.page.locator(":is(textarea, input):visible").and_(seen.page.locator(".setting-text *")).first.evaluate(
        # past the browser's own limit of the length
        f"(field) => {{ field.value = {text}; field.dispatchEvent(new Event('input', {{bubbles: true}})); }}"
    )
    said = seen.page.get_by_text("surrogate pair").or_(seen.page.get_by_text("the most allowed here is"))
    said.first.wait_for()
    assert seen.console() == []


@pytest.mark.parametrize("path", ["tokenizer", "inside"])  # a field of several lines, and one of one
def test_typing_costs_a_call_a_pause_and_not_a_letter(watch, path):
    seen, calls = watch(), []
    seen.open(path, "en", text="x")
    seen.page.on(
        "request",
        lambda request: (
            calls.append(request) if request.url.endswith("/draw/inside") or "/queue/join" in request.url else None
        ),
    )
    field = seen.page.get_by_label("Text", exact=True)
    field.press("End")
    field.press_sequentially("a dozen letters in a row", delay=10)
    seen.page.wait_for_url(lambda url: "text=xa+dozen+letters+in+a+row" in url)
    seen.settle()
    assert 1 <= len(calls) < 8  # of 24 letters; where a slow machine pauses by itself, a few more than one


def test_what_was_typed_is_there_for_a_click_at_once(watch):
    seen = watch()
    seen.open("tokenizer", "en")
    seen.page.get_by_label("Text", exact=True).press_sequentially("x")
    link = made_link(seen, "Share this page", "Make the link", "Link with these settings")
    assert parse_qs(urlsplit(link).query)["text"][0].endswith("x")


def test_a_projector_shows_what_the_page_draws_without_its_controls(watch):
    seen = watch()
    seen.open("tokenizer", "en", text="abc")
    field, drawn = seen.page.get_by_label("Text", exact=True), seen.page.locator("ol.tokens").first
    before = drawn.bounding_box()["height"]
    seen.page.get_by_role("link", name="Projector").click()
    assert not field.is_visible()
    assert not seen.page.get_by_role("button", name="Train", exact=True).is_visible()
    assert drawn.bounding_box()["height"] > 1.3 * before
    assert seen.problems() == []
    seen.page.reload()  # its address opens it as it is
    seen.settle()
    assert not field.is_visible()
    seen.page.keyboard.press("Escape")
    assert field.is_visible()
    assert "projector" not in seen.page.url


def test_on_paper_colours_stay_and_navigation_does_not(watch):
    seen = watch()
    seen.open("inside", "en", text="abc", part="attention")
    seen.page.emulate_media(media="print")
    assert not seen.page.locator(".navigation nav").is_visible()
    kept = seen.page.locator("table.heat button").first.evaluate("(cell) => getComputedStyle(cell).printColorAdjust")
    assert kept == "exact"


def test_on_a_telephone_the_pages_are_one_row_that_begins_where_the_reader_is(watch):
    seen = watch(390)
    seen.open("discussion", "en")
    navigation = seen.page.locator(".navigation nav").bounding_box()
    current = seen.page.locator(".navigation [aria-current]").bounding_box()
    assert navigation["height"] < 3 * current["height"]  # the languages are the second row
    assert current["x"] >= navigation["x"]
    assert current["x"] + current["width"] <= navigation["x"] + navigation["width"] + 1  # pixels are rounded


def test_a_figure_of_white_paper_is_dark_in_the_dark(watch):
    for scheme, expected in (("light", "none"), ("dark", "invert(0.9) hue-rotate(180deg)")):
        seen = watch(scheme=scheme)
        seen.open("train", "en")
        seen.page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<img class=plot alt=\"\">')")
        assert seen.page.evaluate("() => getComputedStyle(document.querySelector('img.plot')).filter") == expected
