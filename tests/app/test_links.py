"""Links of a teacher: what they lock and hide holds, and a link that was edited opens nothing."""

import functools
import json
from urllib.parse import parse_qs, urlencode, urlsplit

import gradio as gr
import pytest

from hf_llm.app.config import AppConfig
from hf_llm.app.guarded import guarded
from hf_llm.app.page import Page
from hf_llm.app.server import links
from hf_llm.app.server.build import build
from hf_llm.app.server.links import read_link, signed_link
from hf_llm.app.share import signed

NAMES = ("text", "model", "layer", "head", "preset", "run")
ADDRESS = "https://app.example/inside?text=O+gato+%26+%3Cb%3E&layer=1&head=1&lang=pt-BR"


def query(**changes) -> str:
    """Return the query of a link that locks text and layer and hides head, with some of it changed; None removes."""
    asked = {name: given[0] for name, given in parse_qs(urlsplit(link()).query).items()} | changes
    return urlencode({name: value for name, value in asked.items() if value is not None})


def link() -> str:
    return signed_link("inside", ADDRESS, ["text", "layer"], ["head"], NAMES)


def test_a_signed_link_says_what_is_locked_and_hidden():
    found = read_link("inside", f"?{urlsplit(link()).query}", NAMES)
    assert found.asked["text"] == "O gato & <b>"
    assert (found.locked, found.hidden, found.changed) == ({"text", "layer", "head"}, {"head"}, False)
    assert link().startswith("https://app.example/inside?")


@pytest.mark.parametrize(
    "changes",
    [{"text": "another"}, {"layer": "0"}, {"lock": "text"}, {"lock": None}, {"hide": None}, {"model": "other"},
     {"sign": None}, {"sign": "é"}, {"sign": ""}, {"text": None}, {"lock": "1", "sign": None}],
)  # fmt: skip
def test_an_edited_link_opens_nothing(changes):
    found = read_link("inside", query(**changes), NAMES)
    assert found.changed
    assert found.asked == {}


def test_the_language_and_what_the_page_adds_may_change():
    for changes in ({"lang": "en"}, {"run": "page/x"}, {"__theme": "dark"}, {"view": "api"}):
        assert not read_link("inside", query(**changes), NAMES).changed


def test_a_link_holds_for_its_page_and_its_secret_alone(monkeypatch):
    signed = urlsplit(link()).query
    assert read_link("generate", signed, NAMES).changed
    links._secret.cache_clear()  # the app is started anew
    assert read_link("inside", signed, NAMES).changed
    monkeypatch.setenv(links.SECRET, "of the school")
    links._secret.cache_clear()
    signed = urlsplit(link()).query
    links._secret.cache_clear()
    assert not read_link("inside", signed, NAMES).changed
    monkeypatch.undo()
    links._secret.cache_clear()


def test_who_signs_again_starts_anew():
    again = signed_link("inside", link(), ["model"], [], NAMES)
    assert read_link("inside", urlsplit(again).query, NAMES).locked == {"model"}


def restored(blocks: gr.Blocks, page: str, asked: str) -> tuple[dict, dict, str, dict]:
    """Return the updates of a page's controls and of what sets them, the notice, and what the browser is to keep."""
    found = (fn.fn.__self__ for fn in blocks.fns.values() if getattr(fn.fn, "__name__", "") == "_restore")
    made: Page = next(page_ for page_ in found if page_.name == page)
    _, _, *updates, notice, kept = made._restore(asked, "en")
    controls = dict(zip(made._controls, updates))
    return controls, updates[len(controls) :], notice, json.loads(kept)


def test_single_controls_are_locked_and_what_would_set_them_too(built):
    signed = urlsplit(signed_link("inside", ADDRESS, ["text"], ["layer"], NAMES)).query
    controls, _, notice, kept = restored(built[0], "inside", signed)
    locked = {name for name, update in controls.items() if update.get("interactive") is False}
    assert locked == {"text", "layer", "preset"}
    assert controls["text"]["value"] == "O gato & <b>"
    assert notice == ""
    assert (set(kept["locked"]), kept["hidden"]) == ({"text", "layer"}, ["layer"])
    controls, others, _, _ = restored(built[0], "generate", urlsplit(
        signed_link("generate", "/generate?text=a", ["text"], [], ["text"])).query)  # fmt: skip
    assert others[0]["interactive"] is False  # the list of examples
    assert "interactive" not in controls["top_k"]


def test_a_plain_link_locks_nothing(built):
    controls, _, notice, kept = restored(built[0], "inside", "?text=a")
    assert not any("interactive" in update for update in controls.values())
    usual = kept.pop("usual")
    assert (notice, kept) == ("", {"locked": [], "hidden": []})
    assert set(usual) == set(controls)
    assert usual["text"] != controls["text"]["value"] == "a"


@pytest.mark.parametrize("page", ["inside", "train", "tokenizer", "generate", "mnist", "foundations", "discussion"])
def test_an_edited_link_locks_the_whole_page_and_says_so(built, page):
    controls, others, notice, kept = restored(built[0], page, "?text=mine&lock=text&sign=x")
    assert all(update["interactive"] is False for update in [*controls.values(), *others])
    assert controls.get("text", {}).get("value") != "mine"
    assert "This link was changed" in notice
    assert set(kept["locked"]) == set(controls)


def test_the_page_makes_the_link(built):
    sign = guarded(functools.partial(signed, page="inside", names=["text", "head"]), built[1])
    link, _ = sign(address=ADDRESS, lock=["text", "no such"], hide=["head"], lang="en")
    assert read_link("inside", urlsplit(link).query, ["text", "head"]).locked == {"text", "head"}
    for lock in ([], None, ["no such"]):
        with pytest.raises(gr.Error, match="First choose"):
            sign(address=ADDRESS, lock=lock, hide=[], lang="en")


def test_an_example_that_was_only_passed_through_sets_nothing(built):
    with gr.Blocks() as blocks:
        page, token = Page(built[1], "inside"), gr.Number()
        page.picked(gr.Dropdown(["a"]), lambda app, preset, lang: [f"{preset} chosen"], [token])
    (pick,) = (fn.fn for fn in blocks.fns.values())
    assert pick(preset="a", lang="en") == ["a chosen"]
    assert pick(preset=None, lang="en") == [gr.skip()]


def test_a_click_sets_nothing_that_a_link_locks(built):
    with gr.Blocks() as blocks:
        page = Page(built[1], "inside")
        layer, token = gr.Number(), gr.Number()
        page.settings(layer=layer, token=token)
        page.chosen(page.view(), lambda app, choice, lang: (3, 4), {}, [layer, token])
        page.chosen(page.view(), lambda app, choice, lang: 3, {}, layer)
    both, alone = (fn.fn for fn in blocks.fns.values())
    click = {"evt": gr.EventData(None, {"choice": "x"}), "lang": "en"}
    assert both(**click, kept="") == [3, 4]  # before the page has read its address
    assert both(**click, kept='{"locked": ["layer"]}') == [gr.skip(), 4]
    assert alone(**click, kept='{"locked": ["token"]}') == 3
    assert alone(**click, kept='{"locked": ["layer"]}') == gr.skip()


def test_every_visible_setting_can_be_locked_and_hidden(runs):
    blocks, _ = build(AppConfig(runs=str(runs)))
    groups = [block for block in blocks.blocks.values() if isinstance(block, gr.CheckboxGroup)]
    offered = {value for group in groups for _, value in group.choices}
    assert {"text", "model", "part", "seed", "learning_rate"} <= offered
    assert not offered & {"drawing", "token", "layer", "head"}  # hidden: they are chosen in a picture
