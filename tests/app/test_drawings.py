"""What the script of a page asks for by itself: its drawings are as the handlers draw them, in turn, and bounded."""

import asyncio
import json
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest

from hf_llm.app.drawing import Choice, Drawing
from hf_llm.app.pages.inside import answers as inside
from hf_llm.app.server import turns as turns_module
from hf_llm.app.server.drawings import Drawings
from hf_llm.app.server.line import Line
from hf_llm.app.server.turns import Turns
from hf_llm.config import UserError
from hf_llm.texts import text

SETTINGS = {
    "model": "story", "text": "O gato dormia.", "part": "prediction", "layer": 1, "head": 1, "token": -1,
    "key": -1, "step": "softmax", "place": "mixed", "shuffle": 1, "off": "nothing",
}  # fmt: skip
ASKED = {"settings": SETTINGS, "chosen": None, "kept": "", "lang": "en", "session": "a"}


def ask(server: str, page: str = "inside", **changes) -> httpx.Response:
    return httpx.post(f"{server}draw/{page}", json={**ASKED, **changes}, timeout=60)


def test_a_page_is_drawn_as_its_handler_draws_it(server, app):
    answer = ask(server).json()
    assert answer == {"sets": {}, "views": inside.show(app, **SETTINGS, lang="en")}
    assert "Picture" not in answer["views"]["why"]
    assert ask(server, lang="pt-BR").json()["views"] == inside.show(app, **SETTINGS, lang="pt-BR")


def test_what_is_chosen_is_set_and_drawn_in_one_answer(server, app):
    answer = ask(server, chosen=["picture", "place:mid"]).json()
    assert answer["sets"] == {"place": "mid", "part": "vectors"}
    assert answer["views"] == inside.show(app, **{**SETTINGS, "place": "mid", "part": "vectors"}, lang="en")


def test_what_a_link_locks_is_not_set(server, app):
    answer = ask(server, chosen=["picture", "head:0"], kept='{"locked": ["head"]}').json()
    assert answer["sets"] == {"part": "attention"}
    assert answer["views"] == inside.show(app, **{**SETTINGS, "part": "attention"}, lang="en")


def test_the_lesson_is_drawn_too(server):
    settings = {"step": "neuron", "text": "A cat", "model": "story", "made": {}}
    with gr.Blocks():
        from hf_llm.app.pages.home.lesson import STEPS

        for name, step in STEPS.items():
            settings |= {f"{name}_{control}": each.value for control, each in step.controls().items()}
    before = ask(server, "home", settings=settings).json()["views"]
    assert text("home.predict_first", "en") in before["verdict"]
    after = ask(server, "home", settings={**settings, "made": {"neuron": "a"}}).json()["views"]
    assert after["why"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chosen": ["picture", "more:1"], "settings": {**SETTINGS, "text": "O gato " * 60}}, "inside.full"),
        ({"chosen": ["nothing", "x"]}, "app.unexpected"),
        ({"chosen": ["picture", "x"]}, "app.unexpected"),
        ({"settings": {}}, "app.unexpected"),
        ({"settings": {**SETTINGS, "layer": "x"}}, "app.unexpected"),
        ({"kept": "{"}, None),
        ({"chosen": ["picture", "layer:0"], "kept": "{"}, "app.unexpected"),
    ],
)
@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_what_cannot_be_drawn_is_said_in_the_readers_language(server, changes, said, lang):
    answer = ask(server, **changes, lang=lang).json()
    if said is None:
        assert "said" not in answer
    else:
        assert answer == {"said": text(said, lang, **({"most": 64} if said == "inside.full" else {}))}


@pytest.mark.parametrize(("name", "value"), [("part", "<b>"), ("step", "x"), ("off", "all"), ("layer", 10_000)])
def test_a_value_that_no_control_offers_is_refused(server, name, value):
    assert set(ask(server, settings={**SETTINGS, name: value}).json()) == {"said"}


def test_a_model_that_was_not_there_at_the_start_is_looked_for(server, app):
    unknown = {**SETTINGS, "model": "later"}
    assert ask(server, settings=unknown).json()["views"] == inside.show(app, **unknown, lang="en")


def test_what_no_page_sends_is_no_request(server):
    assert ask(server, "tokenizer").status_code == 404
    for body in (b"", b"[]", b"{}", b"[" * 100_000, b'"a"', b"\xff", json.dumps({**ASKED, "x": "a" * 10**7}).encode()):
        assert httpx.post(f"{server}draw/inside", content=body, timeout=60).status_code == 400
    assert httpx.get(f"{server}draw/inside", timeout=60).status_code in (404, 405)
    strange = {"origin": "https://elsewhere.example"}
    assert httpx.post(f"{server}draw/inside", json=ASKED, headers=strange, timeout=60).status_code == 403


def test_a_text_that_is_too_long_is_told_so(server):
    answer = ask(server, settings={**SETTINGS, "text": "a" * 1_000_000})
    assert "the most allowed here is" in answer.json()["views"]["picture"]


class Request:
    """A request of one session that lives on, or has gone away."""

    def __init__(self, session: str, gone: bool = False):
        self.path_params, self.gone = {"page": "inside"}, gone
        self.body = json.dumps({**ASKED, "session": session}).encode()

    async def stream(self):
        yield self.body

    async def is_disconnected(self) -> bool:
        return self.gone


@pytest.fixture
def counted(app):
    """Drawings that note what was drawn, of an app that takes two calls a minute of a session."""
    drawn = []

    def draw(app, **given) -> dict:
        drawn.append(given)
        return {"view": "drawn"}

    with gr.Blocks() as blocks:
        box = gr.Textbox()
    drawing = Drawing(draw, {"text": box}, {}, {"text": Choice(box, lambda app, **given: {})})
    stand_in = SimpleNamespace(
        config=app.config,
        line=Line(blocks, calls_a_minute=2),
        drawings={"inside": drawing},
        said=app.said,
        importing=app.importing,
    )
    return Drawings(stand_in), drawn


def test_a_session_that_asks_too_often_is_told_so_and_others_are_not(counted):
    drawings, drawn = counted

    async def three_times():
        return [json.loads((await drawings.answer(Request(who))).body) for who in ("a", "a", "a", "b")]

    first, second, third, other = asyncio.run(three_times())
    assert first == second == other == {"sets": {}, "views": {"view": "drawn"}}
    assert third == {"said": text("app.too_fast", "en", most=2, seconds=10)}
    assert len(drawn) == 3


def test_nothing_is_drawn_for_who_has_gone_away(counted):
    drawings, drawn = counted
    assert asyncio.run(drawings.answer(Request("a", gone=True))).status_code == 400
    assert drawn == []


def test_a_session_waits_behind_its_own_calls_and_not_before_others():
    order = []

    async def call(turns: Turns, who: str):
        async with turns.turn(who[0]):
            order.append(who)
            await asyncio.sleep(0)

    async def all_calls():
        turns = Turns(1)
        await asyncio.gather(*(call(turns, who) for who in ("a1", "a2", "a3", "b1", "c1")))
        assert turns._asked.total() == 0
        assert not turns._sessions

    asyncio.run(all_calls())
    assert order == ["a1", "b1", "c1", "a2", "a3"]


def test_so_many_wait_and_no_more(monkeypatch):
    monkeypatch.setattr(turns_module, "ALL", 30)

    async def ask_many(sessions: list[str]) -> list:
        turns, gate = Turns(2), asyncio.Event()

        async def call(who: str):
            async with turns.turn(who):
                await gate.wait()

        calls = [asyncio.create_task(call(who)) for who in sessions]
        await asyncio.sleep(0.01)
        gate.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    own = asyncio.run(ask_many(["a"] * 25))
    assert [isinstance(each, UserError) for each in own] == [False] * 21 + [True] * 4  # one runs, twenty wait
    assert "20" in str(own[-1])
    everybody = asyncio.run(ask_many([str(number) for number in range(35)]))
    assert [isinstance(each, UserError) for each in everybody] == [False] * 30 + [True] * 5
