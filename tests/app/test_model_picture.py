"""The picture of a GPT-2 shows the numbers it was given, says what each part holds, and fits the screen."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import torch
from picture_reading import drawn_shades

from hf_llm.app.pages.inside.colour_scale import shade
from hf_llm.app.pages.inside.model_picture import model_picture
from hf_llm.app.pages.inside.picture_parts import MAPS, NUMBERS, VECTORS, Chosen, fitted
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.strips import strips
from hf_llm.models.gpt2 import gpt2_config, new_gpt2

LIKELY = [{"text": "a", "probability": 0.75, "logit": 3.25}, {"text": "<b>&", "probability": 0.25, "logit": -1.5}]
FORMS = ("wide", "narrow")


def pictured(model, ids, layer=1, head=2, token=3, step="softmax", off=None, lang="en", labels=None):
    """Return the numbers and their picture, as text and as a tree."""
    found = strips(GPT2Explained.from_transformers(model), ids, layer, head, off)
    labels = labels or [f"t{i}" for i in range(ids.shape[1])]
    drawn = model_picture(found, labels, LIKELY, Chosen(layer, head, token, step, off), lang)
    return found, drawn, ElementTree.fromstring(drawn)


def form(tree, name):
    return next(svg for svg in tree.iter("svg") if svg.get("class") == name)


def buttons(tree) -> dict[str, ElementTree.Element]:
    return {one.get("data-choose"): one for one in tree.iter("g") if one.get("role") == "button"}


def defined(tree, name: str) -> str:
    group = next(one for one in tree.iter("g") if one.get("id") == f"picture-{name}")
    return ElementTree.tostring(group, encoding="unicode")


def test_every_strip_and_map_has_the_shades_of_its_numbers(trained, sample_ids):
    found, _, tree = pictured(trained, sample_ids[:1, :10])
    for name in VECTORS:
        values = getattr(found, name)[:, :NUMBERS]
        expected = [[shade(value) for value in row] for row in values.tolist()]
        assert drawn_shades(defined(tree, name), *values.shape) == expected, name
    for name, values in {"product": found.product, "softmax": found.softmax, "head-3": found.every_head[3]}.items():
        expected = [[shade(value) for value in row] for row in values.tolist()]
        assert drawn_shades(defined(tree, name), 10, 10) == expected, name
    for layer, values in enumerate(found.layers):
        expected = [[shade(value) for value in row[:4]] for row in values.tolist()]
        assert drawn_shades(defined(tree, f"layer-{layer}"), 10, 4) == expected


def test_what_is_masked_is_hatched_and_not_a_number(trained, sample_ids):
    _, _, tree = pictured(trained, sample_ids[:1, :10])
    for name in (*MAPS, *(f"head-{i}" for i in range(4))):
        drawn = defined(tree, name)
        hidden = [[(row < column) for column in range(10)] for row in range(10)]
        if name in ("product", "scale"):  # the future is hidden only after them
            assert "masked" not in drawn
            assert any(drawn_shades(drawn, 10, 10)[row][column] for row in range(10) for column in range(row + 1, 10))
            continue
        assert drawn.count('class="masked"') == 1
        shown = drawn_shades(drawn, 10, 10)
        assert not any(shown[row][column] for row in range(10) for column in range(10) if hidden[row][column])


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
@pytest.mark.parametrize("name", FORMS)
def test_each_part_is_a_button_with_a_sentence(trained, sample_ids, name, lang):
    _, _, tree = pictured(trained, sample_ids[:1, :10], lang=lang)
    found = buttons(form(tree, name))
    places = ("attention_norm", "qkv", "mixed", "side_by_side", "projection", "mid", "mlp_norm", "mlp_output", "output")
    folded = (0, 2) if name == "wide" else (0, 1, 2)  # the wide form has the opened layer itself
    expected = {
        *(f"token:{i}" for i in range(10)), *(f"layer:{i}" for i in folded), *(f"head:{i}" for i in range(4)),
        *(f"step:{step}" for step in MAPS), *(f"place:{place}" for place in places),
        *(f"part:{part}" for part in ("embedding", "stream", "lens", "prediction")),
        *(f"off:{part}" for part in ("head", "heads", "mlp")), "more:1",
    }  # fmt: skip
    assert set(found) == expected
    for opens, button in found.items():
        said = button.get("aria-label")
        assert len(said) > 20, opens
        assert said == button.find("title").text
        assert button.get("tabindex") == "0"
    assert "média 0" in found["place:attention_norm"].get("aria-label") or lang == "en"
    grouped = [one for group in tree.iter("g") if group.get("data-arrows") is not None for one in buttons(group)]
    assert set(grouped) >= expected


@pytest.mark.parametrize("name", FORMS)
def test_what_is_chosen_is_pressed(trained, sample_ids, name):
    _, _, tree = pictured(trained, sample_ids[:1, :10], off="mlp", step="mask")
    pressed = {opens for opens, one in buttons(form(tree, name)).items() if one.get("aria-pressed") == "true"}
    assert pressed - {"layer:1"} == {"token:3", "head:2", "step:mask", "off:mlp"}


@pytest.mark.parametrize(
    ("off", "strip", "crosses"), [("head", "mixed", 2), ("heads", "side_by_side", 5), ("mlp", "mlp_output", 1)]
)
def test_what_is_switched_off_is_crossed_out_and_empty(trained, sample_ids, off, strip, crosses):
    found, _, tree = pictured(trained, sample_ids[:1, :10], off=off)
    crossed = [path for path in form(tree, "wide").iter("path") if path.get("class") == "cross"]
    assert len(crossed) == crosses  # the strip, and the maps of the heads that are off
    assert not any(map(any, drawn_shades(defined(tree, strip), 10, 64)))
    assert pictured(trained, sample_ids[:1, :10])[1].count('class="cross"') == 0
    assert (getattr(found, strip) == 0).all()


def test_a_readers_text_stays_text(trained, sample_ids):
    hostile = ['<img src=x>"', *"abcd"]
    _, drawn, tree = pictured(trained, sample_ids[:1, :5], token=0, labels=hostile)
    assert "<img" not in drawn
    assert "<b>" not in drawn
    assert hostile[0] in buttons(form(tree, "wide"))["token:0"].get("aria-label")


def test_all_that_is_used_is_defined_once(trained, sample_ids):
    _, drawn, _ = pictured(trained, sample_ids[:1, :10])
    ids = re.findall(r' id="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', drawn)) <= set(ids)


def test_data_flow_from_left_to_right(trained, sample_ids):
    _, _, tree = pictured(trained, sample_ids[:1, :10])
    for name in FORMS:
        order = [int(one.get("style")[8:]) for one in form(tree, name).iter("g") if one.get("class") == "arrives"]
        assert order == list(range(1, len(order) + 1))


def test_32_tokens_and_12_layers_fit_a_small_screen():
    model = new_gpt2(gpt2_config("nano", vocab_size=50, n_positions=32, n_layer=12, n_head=12, n_embd=24), 0).eval()
    for layer in (0, 5, 11):
        _, drawn, tree = pictured(model, torch.arange(32)[None], layer=layer)
        _, _, width, height = map(float, form(tree, "wide").get("viewBox").split())
        # 857 px are there for it in a window of 1280, and 520 below the controls in one of 720
        assert 857 / width > 0.85
        assert height * 857 / width < 520
        rows = [float(one.get("y")) for one in form(tree, "wide").iter("text") if one.get("class") == "name"][:32]
        assert min(b - a for a, b in pairwise(rows)) >= 12.3
        for edge in form(tree, "wide").iter("rect"):
            assert float(edge.get("x")) + float(edge.get("width")) <= width + 100  # pills are moved to the right
        assert len(drawn) < 600_000
        _, _, narrow, _ = map(float, form(tree, "narrow").get("viewBox").split())
        assert narrow == 360


def test_a_label_keeps_to_its_width():
    assert fitted("short", 8) == "short"
    assert fitted("a long label", 8) == "a long …"
    assert fitted("漢字漢字漢字", 8) == "漢字漢…"
