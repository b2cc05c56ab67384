"""The picture of a model in a real browser: by mouse and by keyboard, on a small screen and on a telephone."""

from itertools import pairwise

import pytest

from hf_llm.app.pages.inside import answers

LONG = "The%20cat%20sat%20on%20the%20mat%20and%20slept%20while%20it%20rained%20outside"  # for a tokenizer of 300


def button(seen, opens: str, form: str = "wide"):
    return seen.page.locator(f'svg.{form} [data-choose="{opens}"]')


def test_a_click_opens_the_view_beside_the_picture(watch):
    seen = watch()
    seen.open("inside", "en", text="abc")
    button(seen, "place:projection").click()
    table = seen.page.locator("table.vectors")
    table.wait_for()
    seen.settle()
    assert "Output projection of layer 0" in seen.page.locator(".beside").inner_text()
    picture, panel = seen.page.locator("svg.wide").bounding_box(), table.bounding_box()
    assert panel["x"] >= picture["x"] + picture["width"]
    assert panel["y"] < picture["y"] + picture["height"]


@pytest.fixture
def drawn(monkeypatch) -> list[dict]:
    """The settings of each drawing of the page."""
    drawn, call = [], answers.call  # what every drawing ends with

    def noted(source, text, part, layer, head, *others):
        drawn.append({"text": text, "part": part, "layer": layer, "head": head})
        return call(source, text, part, layer, head, *others)

    monkeypatch.setattr(answers, "call", noted)
    return drawn


def test_a_click_draws_once(watch, drawn):
    seen = watch()
    seen.open("inside", "en", text="abc")
    for opens, layer, head in (("layer:1", 1, 0), ("head:1", 1, 1)):
        drawn.clear()
        button(seen, opens).click()
        seen.page.locator(f'svg.wide[aria-label*="layer {layer} and head {head}"]').wait_for()
        seen.settle()
        assert [(given["layer"], given["head"]) for given in drawn] == [(layer, head)]


def test_a_list_and_an_example_draw_once(watch, drawn):
    seen = watch()
    seen.open("inside", "en", text="abc")
    drawn.clear()
    seen.page.get_by_label("What do you want to see?", exact=True).click()
    seen.page.get_by_role("option", name="The logit lens").click()
    seen.page.locator("table.lens").wait_for()
    seen.settle()
    assert [(given["part"], given["text"]) for given in drawn] == [("lens", "abc")]
    drawn.clear()
    seen.page.get_by_label("Examples").click()
    seen.page.get_by_role("option", name="A pattern that repeats").click()
    seen.page.get_by_text("red green").first.wait_for()
    seen.settle()
    assert [given["text"] for given in drawn] == [seen.page.get_by_label("Text", exact=True).input_value()] != ["abc"]


def test_a_text_that_is_written_draws_once_and_looks_at_its_last_token(watch, drawn):
    seen = watch()
    seen.open("inside", "en", text="abc", token="1")
    assert button(seen, "token:1").get_attribute("aria-pressed") == "true"  # as the link has it
    drawn.clear()
    seen.page.get_by_label("Text", exact=True).fill("abcabc")
    seen.page.wait_for_url("**text=abcabc*")
    seen.settle()
    assert [given["text"] for given in drawn] == ["abcabc"]
    tokens = seen.page.locator('svg.wide [data-choose^="token:"]')
    assert tokens.last.get_attribute("aria-pressed") == "true"


def test_two_clicks_in_a_row_both_count(watch):
    """The second before the first is drawn, or when Gradio does not know of it yet; no test can choose which."""
    seen = watch()
    seen.open("inside", "en", text="abc")
    clicks = """async ([first, second, milliseconds]) => {
        const click = (opens) => document.querySelector(`svg.wide [data-choose="${opens}"]`)
            .dispatchEvent(new MouseEvent("click", {bubbles: true}));
        click(first);
        await new Promise((done) => setTimeout(done, milliseconds));
        click(second);
    }"""
    for milliseconds in range(0, 120, 15):
        for new in (1, 0):
            seen.page.evaluate(clicks, [f"layer:{new}", f"head:{new}", milliseconds])
            seen.page.locator(f'svg.wide[aria-label*="layer {new} and head {new}"]').wait_for()
            seen.settle()
    assert "layer=1" not in seen.page.url


def test_what_cannot_be_drawn_is_said_and_the_picture_stays(watch):
    seen = watch()
    seen.open("inside", "pt-BR", text="O gato " * 60)
    button(seen, "more:1").click()
    said = seen.page.get_by_role("alert")
    said.wait_for()
    assert "no máximo 64" in said.inner_text()
    button(seen, "layer:1").click()
    seen.page.locator('svg.wide[aria-label*="camada 1"]').wait_for()
    assert said.count() == 0


def test_a_server_that_does_not_answer_is_said(watch):
    seen = watch()
    seen.open("inside", "en", text="abc")
    seen.page.route("**/draw/inside", lambda route: route.abort())
    button(seen, "layer:1").click()
    seen.page.get_by_text("The app did not answer").wait_for()
    seen.page.unroute("**/draw/inside")
    button(seen, "layer:1").click()
    seen.page.locator('svg.wide[aria-label*="layer 1 and head 0"]').wait_for()


def test_a_drawing_that_takes_long_is_seen_to_be_on_its_way(watch):
    seen, held = watch(), []
    seen.open("inside", "en", text="abc")
    seen.page.route("**/draw/inside", lambda route: held.append(route))
    button(seen, "layer:1").click()
    pale = "getComputedStyle(document.querySelector('svg.wide').closest('[data-view]')).opacity"
    seen.page.wait_for_function(f"{pale} === '0.5'")
    held[0].continue_()
    seen.page.locator('svg.wide[aria-label*="layer 1 and head 0"]').wait_for()
    seen.page.wait_for_function(f"{pale} === '1'")


def test_an_example_is_picked_and_not_passed_through(watch):
    seen = watch()
    seen.open("inside", "en", text="abc")
    field, examples = seen.page.get_by_label("Text", exact=True), seen.page.get_by_label("Examples")
    examples.focus()
    seen.page.keyboard.press("Tab")
    seen.settle()
    assert field.input_value() == "abc"
    examples.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        seen.page.keyboard.press(key)
    seen.page.wait_for_function("(field) => field.value !== 'abc'", arg=field.element_handle())


def test_layer_head_and_what_is_off_are_chosen_by_keyboard(watch):
    seen = watch()
    seen.open("inside", "en", text="abc")
    button(seen, "layer:1").focus()
    seen.page.keyboard.press("Enter")
    seen.page.locator('svg.wide[aria-label*="layer 1 and head 0"]').wait_for()
    button(seen, "head:0").focus()
    seen.page.keyboard.press("ArrowDown")
    assert button(seen, "head:1").evaluate("(one) => one === document.activeElement")
    seen.page.keyboard.press(" ")
    seen.page.locator('svg.wide[aria-label*="layer 1 and head 1"]').wait_for()
    seen.settle()
    assert button(seen, "head:1").evaluate("(one) => one === document.activeElement")  # the focus survived the redraw
    button(seen, "off:mlp").focus()
    seen.page.keyboard.press("Enter")
    seen.page.get_by_text("without the MLP of layer 1").first.wait_for()
    assert button(seen, "off:mlp").get_attribute("aria-pressed") == "true"
    assert seen.problems() == []


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_one_more_token_flows_through_once(watch, motion):
    seen = watch()
    seen.page.emulate_media(reduced_motion=motion)
    seen.open("inside", "en", text="abc")
    field = seen.page.get_by_label("Text", exact=True)
    button(seen, "more:1").click()
    seen.page.locator("svg.wide.flows").wait_for()
    assert field.input_value().startswith("abc")
    assert len(field.input_value()) > 3
    moving = "getComputedStyle(document.querySelector('svg.wide .arrives')).animationName"
    assert seen.page.evaluate(moving) == ("arrives" if motion == "no-preference" else "none")
    seen.page.wait_for_timeout(1000)
    button(seen, "token:0").click()  # another change is drawn at once
    seen.settle()
    assert seen.page.locator("svg.wide.flows").count() == 0


def test_a_sentence_of_32_tokens_fits_a_small_screen(watch):
    seen = watch()
    seen.page.set_viewport_size({"width": 1280, "height": 720})
    seen.open("inside", "en", text=LONG)
    assert button(seen, "token:31").count() == 1
    box = seen.page.locator("svg.wide").bounding_box()
    assert box["y"] >= 0
    tokens = [button(seen, f"token:{place}").bounding_box() for place in (0, 31)]
    assert tokens[0]["y"] > 0
    assert tokens[1]["y"] + tokens[1]["height"] <= 720
    assert tokens[0]["height"] >= 10


def test_on_a_telephone_it_is_a_column(watch):
    seen = watch(390)
    seen.open("inside", "pt-BR", text="abc")
    assert not seen.page.locator("svg.wide").is_visible()
    order = ["part:embedding", "layer:0", "place:qkv", "step:mask", "place:mid", "part:prediction", "more:1"]
    boxes = [button(seen, opens, "narrow").bounding_box() for opens in order]
    assert all(a["y"] < b["y"] for a, b in pairwise(boxes))
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert seen.page.locator(".beside").bounding_box()["y"] > 844  # below the picture, and over nothing
    button(seen, "place:mid", "narrow").click()
    seen.page.locator("table.vectors").wait_for()
    seen.settle()
    assert seen.page.locator(".beside").bounding_box()["y"] < 844  # the view came into sight
    assert seen.problems() == []
