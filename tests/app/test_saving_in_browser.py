"""A figure is saved as it is shown: an SVG that needs no style sheet, and the PNG of it."""

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.views import bars, figure, heat_map, image

SVG = "{http://www.w3.org/2000/svg}"


def red_and_blue() -> str:
    file = io.BytesIO()
    Image.fromarray(np.array([[[255, 0, 0], [0, 0, 255]]], dtype=np.uint8)).save(file, "PNG")
    return image(file.getvalue(), "", "matrix")


FIGURES = {  # each as a page shows it, what is written in it, and how many shapes it has at least
    "bars": (bars(["O <b> gato", "rato"], [1.0, 0.5], "Duas barras", "en"),
             ["Duas barras", "O <b> gato", "rato", "0.5"], 2),
    "map": (heat_map([[0.5, None], [-1.0, 1.0]], ["r", "s"], ["left", "right"], "A map", "en"),
            ["A map", "r", "s", "left", "right", "0.50", "−1.00"], 4),
    "curves": (line_chart([Line("loss", [(0, 2), (9, 1)])], "Curves", "step", "nats", "en"),
               ["Curves", "step", "nats", "loss"], 3),
    "picture": (figure(red_and_blue(), "Pixels", "en"), ["Pixels"], 1),
}  # fmt: skip


@pytest.fixture
def page(watch):
    seen = watch()
    seen.open("train", "en")
    return seen.page


def saved(page, kind: str, figure: str = ".savable") -> tuple[str, bytes]:
    """Return the name and the content of the file that a button of a figure saves."""
    with page.expect_download() as download:
        page.locator(f"{figure} [data-save={kind}]").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def written(tree: ElementTree.Element) -> list[str]:
    return [" ".join("".join(one.itertext()).split()) for one in tree.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_figure_is_saved_as_it_is_shown(page, name, scheme):
    html, words, shapes = FIGURES[name]
    page.emulate_media(color_scheme=scheme)
    page.evaluate("(html) => document.body.insertAdjacentHTML('afterbegin', `<main id=here>${html}</main>`)", html)
    file, content = saved(page, "svg", "#here .savable")
    tree = ElementTree.fromstring(content)
    said = written(tree)
    assert file.endswith(".svg")
    assert set(words) <= set(said)
    paper, *drawn = [
        one for one in tree.iter() if one.tag in (f"{SVG}rect", f"{SVG}path", f"{SVG}polyline", f"{SVG}image")
    ]
    assert paper.get("fill") == {"light": "#ffffff", "dark": "#0f172a"}[scheme]
    assert len(drawn) >= shapes
    assert b"color(srgb" not in content
    assert b"var(" not in content
    file, content = saved(page, "png", "#here .savable")
    picture = Image.open(io.BytesIO(content))
    assert file.endswith(".png")
    assert picture.size == (2 * int(tree.get("width")), 2 * int(tree.get("height")))
    assert len(picture.convert("RGB").getcolors(100_000)) > 2
    if name == "picture":
        assert {(255, 0, 0), (0, 0, 255)} <= {colour for _, colour in picture.convert("RGB").getcolors(100_000)}


def test_the_picture_of_a_model_is_saved_whole(watch):
    seen = watch()
    seen.open("inside", "en", text="abc")
    _, content = saved(seen.page, "svg", ".savable:has(> .picture)")
    tree = ElementTree.fromstring(content)
    ids = {one.get("id") for one in tree.iter()}
    used = {one.get("href")[1:] for one in tree.iter(f"{SVG}use")}
    assert used
    assert used <= ids
    assert {"Softmax", "Weights × V", "Logits"} & set(written(tree))
    _, content = saved(seen.page, "png", ".savable:has(> .picture)")
    assert len(Image.open(io.BytesIO(content)).convert("RGB").getcolors(1_000_000)) > 20
