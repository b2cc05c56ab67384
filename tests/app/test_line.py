"""How calls wait: sessions take turns, kinds wait apart, limits are a session's own, what nobody hears is dropped."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
import httpx
import pytest
from starlette.middleware import Middleware

from hf_llm.app.page import KINDS
from hf_llm.app.server import line as line_module
from hf_llm.app.server.build import WAITS
from hf_llm.app.server.line import LAB, Line, Listeners

SLOWEST = 120  # seconds in which a busy machine, too, does what a test waits for


class Served:
    """An app of one slow function of each kind, which ends when its gate is opened, on a line of its own."""

    def __init__(self, **options):
        self.gate, self.began = threading.Event(), []
        with gr.Blocks(analytics_enabled=False) as self.blocks:
            text, lang, out = gr.Textbox(label="text"), gr.Textbox(label="lang"), gr.Textbox()
            button = gr.Button()

            def slow(text, lang):
                self.began.append(text)
                self.gate.wait(SLOWEST)
                return text

            self.functions = {}
            for kind in (LAB, "calculation"):
                button.click(slow, [text, lang], out, concurrency_id=kind, concurrency_limit=1)
                self.functions[kind] = max(self.blocks.fns)
            button.click(lambda text, lang: text, [text, lang], out, concurrency_id="view", concurrency_limit=1)
            self.functions["view"] = max(self.blocks.fns)
            self.blocks.load(lambda text, lang: text, [text, lang], out, concurrency_id="view", concurrency_limit=1)
            self.functions["load"] = max(self.blocks.fns)
        self.line = self.blocks._queue = Line(self.blocks, **options)
        self.blocks.launch(
            prevent_thread_lock=True, quiet=True, ssr_mode=False, enable_monitoring=False,
            app_kwargs={"middleware": [Middleware(Listeners, line=self.line)]},
        )  # fmt: skip

    def ask(self, session: str, text: str, kind: str = "calculation", lang: str = "pt-BR") -> None:
        body = {"data": [text, lang], "fn_index": self.functions[kind], "session_hash": session}
        answer = httpx.post(f"{self.blocks.local_url}gradio_api/queue/join", json=body, timeout=SLOWEST)
        assert answer.status_code == 200, answer.text

    def answers(self, session: str) -> Iterator[dict]:
        """Yield what a session is told, until all of its calls have their answers."""
        address = f"{self.blocks.local_url}gradio_api/queue/data?session_hash={session}"
        with httpx.stream("GET", address, timeout=SLOWEST) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def last(self, session: str) -> dict:
        """Return the output that ends the first call of a session."""
        return next(said["output"] for said in self.answers(session) if said["msg"] == "process_completed")

    def wait_for(self, condition) -> None:
        end = time.monotonic() + SLOWEST
        while not condition():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.01)


@contextmanager
def serving(**options) -> Iterator[Served]:
    served = Served(**options)
    try:
        yield served
    finally:
        served.gate.set()
        served.blocks.close()


@pytest.fixture
def served():
    with serving() as made:
        yield made


def test_sessions_take_turns(served):
    for session, text in (("ana", "a1"), ("ana", "a2"), ("ana", "a3"), ("rui", "r1"), ("rui", "r2"), ("eva", "e1")):
        served.ask(session, text)
        served.wait_for(lambda: served.began)
    served.gate.set()
    served.wait_for(lambda: len(served.began) == 6)
    assert served.began == ["a1", "r1", "e1", "a2", "r2", "a3"]


def test_a_session_has_one_lab_and_learns_its_place(served):
    for session in ("ana", "rui", "eva"):
        served.ask(session, session, LAB)
        served.wait_for(lambda: served.began)
    assert [served.line.place(session, LAB) for session in ("ana", "rui", "eva")] == [None, (1, 2), (2, 2)]
    served.gate.set()
    served.wait_for(lambda: len(served.began) == 3)
    assert served.began == ["ana", "rui", "eva"]


def test_a_second_lab_of_a_session_is_refused(served):
    for session in ("ana", "rui"):
        served.ask(session, session, LAB)
        served.wait_for(lambda: served.began)
    for session, lang, said in (("rui", "pt-BR", "na fila"), ("ana", "en", "already running")):
        served.ask(session, "again", LAB, lang)
        (refused,) = told(served, session, 1)
        assert said in refused["output"]["error"]


def told(served: Served, session: str, ended: int) -> list[dict]:
    """Return the ends of so many calls of a session."""
    found = []
    for said in served.answers(session):
        if said["msg"] == "process_completed":
            found.append(said)
            if len(found) == ended:
                return found
    return found


def test_who_waits_for_a_lab_keeps_nobody_from_a_page(served):
    for number in range(45):
        served.ask(f"visitor {number}", "x", LAB)
    served.ask("ana", "a page", "load")
    assert served.last("ana")["data"] == ["a page"]
    served.ask("ana", "a click", "view")
    assert served.last("ana")["data"] == ["a click"]
    assert len(served.began) == 1


def test_what_nobody_listens_to_is_dropped_and_what_somebody_does_is_not(served, monkeypatch):
    served.ask("ana", "first")
    served.wait_for(lambda: served.began)
    served.ask("gone", "nobody hears")
    served.ask("rui", "heard")
    heard = []
    listener = threading.Thread(target=lambda: heard.append(served.last("rui")))
    listener.start()
    served.wait_for(lambda: served.line.listeners["rui"])
    monkeypatch.setattr(line_module, "UNHEARD", 0.3)
    time.sleep(0.5)
    served.gate.set()
    listener.join(SLOWEST)
    assert heard[0]["data"] == ["heard"]
    assert served.began == ["first", "heard"]
    served.wait_for(lambda: not served.line.listeners)


def test_who_goes_away_while_he_waits_is_dropped(served):
    served.ask("ana", "first")
    served.wait_for(lambda: served.began)
    served.ask("rui", "goes away")
    next(served.answers("rui"))  # and the stream is closed
    served.wait_for(lambda: len(served.line) == 0)
    served.gate.set()


def test_a_session_may_not_fill_the_line_and_others_do_not_notice(served, monkeypatch):
    monkeypatch.setattr(line_module, "WAITING", 2)
    for number in range(4):
        served.ask("ana", str(number))
        served.wait_for(lambda: served.began)
    served.ask("rui", "mine")
    assert len(served.line) == 3
    (refused,) = told(served, "ana", 1)
    assert "já tem 2 pedidos" in refused["output"]["error"]


def test_the_limit_is_a_sessions_own_and_is_forgotten_after_a_minute():
    now = [0.0]
    with serving(calls_a_minute=2, clock=lambda: now[0]) as served:
        for _ in range(3):
            served.ask("ana", "x", "view", "en")
        ends = told(served, "ana", 3)
        assert sorted(each["success"] for each in ends) == [False, True, True]
        (refused,) = [each["output"]["error"] for each in ends if not each["success"]]
        assert "more than 2 requests" in refused
        assert "10 seconds" in refused
        served.ask("rui", "from the same address", "view")
        assert served.last("rui")["data"] == ["from the same address"]
        now[0] = 61.0
        served.ask("ana", "later", "view")
        assert served.last("ana")["data"] == ["later"]


def test_a_page_that_could_not_open_offers_to_reload(monkeypatch, served):
    monkeypatch.setattr(line_module, "ALL", 0)
    served.ask("ana", "x", "load", "en")
    said = served.last("ana")["error"]
    assert "full" in said
    assert '<a href="">Reload the page</a>' in said


def test_many_sessions_do_not_fill_the_memory(served, monkeypatch):
    monkeypatch.setattr(line_module, "SESSIONS", 5)
    served.line.calls_a_minute = 1
    for number in range(9):
        served.line.hurried(str(number))
    assert len(served.line._calls) == 5


def test_every_function_of_the_app_waits_with_a_kind(built):
    blocks, _ = built
    kinds = {fn.concurrency_id for fn in blocks.fns.values() if fn.fn is not None}
    assert kinds == set(KINDS)
    for fn in blocks.fns.values():
        assert fn.fn is None or fn.concurrency_limit == KINDS[fn.concurrency_id]
    named = {fn.api_name: fn.concurrency_id for fn in blocks.fns.values() if fn.api_visibility == "public"}
    assert {name: named[name] for name in WAITS} == WAITS


def test_a_session_that_asks_for_more_does_not_wait_for_ever(served):
    for text in ("a1", "a2"):
        served.ask("ana", text)
        served.wait_for(lambda: served.began)
    for number in range(3):  # others come, are served, and come again before she has had her second turn
        served.ask("rui", f"r{number}")
    places = [event.data.data[0] for event in served.line._waiting("calculation")]
    assert places == ["r0", "a2", "r1", "r2"]
