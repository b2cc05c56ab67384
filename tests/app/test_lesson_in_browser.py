"""The lesson as a student walks it in a real browser: predict, do, see, why; the sentence goes along everywhere."""

import shutil

import pytest
from page_checks import Watched
from playwright.sync_api import expect

from hf_llm.app.config import AppConfig
from hf_llm.app.server.build import launch

SENTENCE = "A dog & a cat were found by"


def predict(seen, option: int = 0) -> None:
    seen.page.locator("input[type=radio]:visible").nth(option).click()
    seen.page.locator(".doing .message[role=status]").first.wait_for()  # the verdict is told aloud


def reads(seen, words: str) -> None:
    """Wait until the page says something; a busy machine is quiet for longer than `settle` waits, and then goes on."""
    seen.page.get_by_text(words).first.wait_for()


def test_a_step_is_predicted_done_and_kept(watch):
    seen = watch()
    seen.open("", "en")
    reads(seen, "Your prediction first")
    predict(seen, 1)
    reads(seen, "It is what you predicted")
    seen.page.get_by_label("number input for Weight of the input 2").fill("-2")
    reads(seen, "The sum is −6")
    assert seen.problems() == []
    seen.page.reload()
    reads(seen, "The sum is −6")


def test_next_and_back_walk_the_steps_and_the_sentence_goes_along(watch):
    seen = watch()
    seen.open("", "en", step="pieces")
    seen.page.get_by_label("Your sentence, in all steps").fill(SENTENCE)
    seen.settle()  # nobody clicks within a thousandth of a second
    predict(seen)
    seen.page.get_by_role("button", name="Next step").click()
    seen.page.get_by_role("heading", name="Ids and embeddings").wait_for()
    seen.page.wait_for_url("**step=addresses**")
    seen.page.go_back()
    seen.page.get_by_role("heading", name="Tokens", exact=True).wait_for()
    seen.settle(2000)  # a page that is left while it waits for an answer says so on the console
    seen.page.get_by_role("link", name="Generate").click()
    expect(seen.page.get_by_label("Beginning of the text")).to_have_value(SENTENCE)
    seen.settle(2000)
    seen.page.get_by_role("link", name="Português").click()
    expect(seen.page.get_by_label("Começo do texto")).to_have_value(SENTENCE)
    assert seen.console() == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_result_is_in_view_after_a_prediction(watch, width):
    seen = watch(width)
    seen.page.set_viewport_size({"width": width, "height": 720})
    seen.open("", "en", step="mask")
    predict(seen)
    seen.page.wait_for_timeout(800)  # it scrolls
    top = seen.page.locator(".doing table").first.bounding_box()["y"]
    assert 0 <= top < 500
    assert seen.problems() == []


def test_the_address_holds_what_was_set_and_no_more(watch):
    seen = watch()
    seen.open("generate", "en")
    seen.page.get_by_label("Beginning of the text").fill("one two")
    seen.page.get_by_label("number input for Temperature").fill("2")
    seen.settle()
    assert "text=one+two" in seen.page.url
    assert "temperature=2" in seen.page.url
    assert "top_k" not in seen.page.url
    seen.page.get_by_label("No draw").check()
    seen.settle()
    assert "temperature" not in seen.page.url
    assert "greedy=true" in seen.page.url


def test_a_step_that_lacks_a_network_trains_one_and_then_shows_what_it_does(browser, runs, tmp_path):
    shutil.copytree(runs / "story", tmp_path / "story")
    blocks = launch(AppConfig(runs=str(tmp_path), port=0))
    try:
        seen = Watched(browser.new_page(), blocks.local_url)
        seen.open("", "en", step="dropout")
        seen.page.locator("input[type=radio]:visible").first.click()
        seen.page.get_by_role("button", name="Train a network").click()
        seen.page.locator(".doing img.units").first.wait_for(timeout=120_000)
        assert not seen.page.get_by_role("button", name="Train a network").is_visible()
        assert seen.console() == []
    finally:
        blocks.close()
