"""Visitors of the web app, well-meaning and not: a class at its lesson, trainings, and attacks on a running app.

A student is an unmodified `gradio_client`; they share four processes, since in one they would wait for each other. What
only a page calls (trainings, labs) is sent as a page sends it.
"""

import json
import multiprocessing
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
from gradio_client import Client

from hf_llm.config import require

SENTENCE = "O gato que estava no quarto do apartamento 3 foi encontrado ontem."
VIEWS = {
    "/next_token": (SENTENCE, "story", 20),
    "/tokenize": (SENTENCE, ["story"]),
    "/inspect": (SENTENCE, "story", 1, 1),
    "/logit_lens": (SENTENCE, "story"),
    "/draw/inside": ({"text": SENTENCE, "model": "story", "layer": 1},),
    "/draw/home": ({"text": SENTENCE, "model": "story", "step": "block", "made": {"block": "a"}},),
}
WORK = {
    "/generate": ("I had always thought", "story", 30, True, 0.8, 0, 1.0, 1.0, 7),
    "/train_bpe": (SENTENCE * 20, 300),
}
TRAINING = ("mlp", "digits", 60, 0.002, 0.0, 0)  # the settings of the page's shortest training
DRAWN = {"/draw/inside": "place", "/draw/home": "made"}  # and a control that only the one page has
LOCK = threading.Lock()  # of what a process's visitors write together
PROCESSES = 4
PATIENCE = 300.0  # seconds for a training's turn and its end


class Visits:
    """What all visitors together met; to be written to under LOCK."""

    def __init__(self):
        self.seconds: dict[str, list[float]] = {name: [] for name in VIEWS | WORK}
        self.opening: list[float] = []
        self.answers: dict[str, set[str]] = {name: set() for name in VIEWS | WORK}
        self.failed: Counter[str] = Counter()

    def __iadd__(self, other: "Visits") -> "Visits":
        self.opening += other.opening
        self.failed += other.failed
        for name in self.seconds:
            self.seconds[name] += other.seconds[name]
            self.answers[name] |= other.answers[name]
        return self

    def open(self, address: str) -> Client | None:
        """Return a client of the app, or note why there is none."""
        began = time.monotonic()
        try:
            client = Client(address, verbose=False)
        except Exception as error:
            self._fail("open", error)
            return None
        with LOCK:
            self.opening.append(time.monotonic() - began)
        return client

    def call(self, client: Client, name: str) -> None:
        """Make one call and note what came of it."""
        began, given = time.monotonic(), (VIEWS | WORK)[name]
        try:
            if name in DRAWN:
                answer = repr(draw(client, name, *given, client.session_hash))
            else:
                answer = repr(client.predict(*given, api_name=name))
        except Exception as error:
            self._fail(name, error)
            return
        with LOCK:
            self.seconds[name].append(time.monotonic() - began)
            self.answers[name].add(answer)

    def _fail(self, name: str, error: Exception) -> None:
        with LOCK:
            self.failed[f"{name} {type(error).__name__}: {error}"[:300]] += 1


def draw(client: Client, address: str, settings: dict, session: str, seconds: float = 60.0) -> dict:
    """Ask for a drawing as the script of a page does; return the views.

    Args:
        client: Of the app.
        address: Of the drawing.
        settings: The controls that are not as the page opens with them.
        session: Who asks.
        seconds: How long it listens.
    """
    values = {each["id"]: each["props"].get("value") for each in client.config["components"]}
    usual: dict = {}
    for event in client.config["dependencies"]:
        names = re.search(r"hf_llm\.draw\((\[.*?\])", str(event["js"]))
        if names and DRAWN[address] in json.loads(names[1]):
            usual = dict(zip(json.loads(names[1]), [values[each] for each in event["inputs"][1:]]))
    require(bool(usual), f"no page draws at {address}")
    body = {"settings": usual | settings, "chosen": None, "kept": "", "lang": "pt-BR", "session": session}
    answer = httpx.post(f"{client.src.rstrip('/')}{address}", json=body, timeout=seconds).raise_for_status().json()
    require("views" in answer, answer.get("said", "no answer"))
    return answer["views"]


def lesson(address: str, students: int, seconds: float, think: float, arriving: float) -> Visits:
    """Let a class do its usual clicks, each student in an order of his own; return what they met.

    Args:
        address: Of the app.
        students: How many.
        seconds: How long.
        think: Seconds between two clicks of a student, half to one and a half of them.
        arriving: Seconds within which they come.
    """
    visits = Visits()
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as rooms:
        parts = [range(first, students, PROCESSES) for first in range(PROCESSES)]
        for part in [rooms.submit(study, address, numbers, seconds, think, arriving) for numbers in parts]:
            visits += part.result()
    return visits


def study(address: str, numbers: Sequence[int], seconds: float, think: float, arriving: float) -> Visits:
    """Let the students with these numbers do so in this process, each in a thread."""
    visits, until = Visits(), time.monotonic() + seconds

    def one(number: int) -> None:
        choose = random.Random(number)
        time.sleep(choose.uniform(0, arriving))
        client = visits.open(address)
        while client and time.monotonic() < until:
            # a text is written, or a tokenizer trained, for every few views
            visits.call(client, choose.choice([*VIEWS] * 3 + [*WORK]))
            time.sleep(choose.uniform(think / 2, 3 * think / 2))

    with ThreadPoolExecutor(len(numbers)) as threads:
        list(threads.map(one, numbers))  # raises what a student raised
    return visits


class Wire:
    """Calls as a page makes them, by the names of its functions."""

    def __init__(self, address: str):
        self.address = address.rstrip("/")
        config = httpx.get(f"{self.address}/config", timeout=60).json()
        self.functions = {each["api_name"]: each["id"] for each in config["dependencies"]}

    def ask(self, session: str, name: str, *data) -> None:
        body = {"data": [*data, "en"], "fn_index": self.functions[name], "session_hash": session}
        httpx.post(f"{self.address}/gradio_api/queue/join", json=body, timeout=60).raise_for_status()

    def call(self, session: str, name: str, *data) -> dict:
        """Return the output of a call: `data`, or `error`."""
        self.ask(session, name, *data)
        address = f"{self.address}/gradio_api/queue/data?session_hash={session}"
        with httpx.stream("GET", address, timeout=120) as stream:
            for line in stream.iter_lines():
                said = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if said.get("msg") == "process_completed":
                    return said["output"]
        return {"error": "the stream ended"}


def train(address: str, visitors: int) -> list[str]:
    """Let some visitors start a training at once and watch it; return their numbers in the order of the ends."""
    wire, ended, started = Wire(address), [], []
    for number in range(visitors):
        answer = wire.call(f"trains{number}", "start", *TRAINING, f"owner {number}")
        require("data" in answer, f"visitor {number} could not start a training: {answer}")
        started.append(answer["data"][0])
    until = time.monotonic() + PATIENCE
    while len(ended) < visitors and time.monotonic() < until:
        for number, run in enumerate(started):
            shown = str(wire.call(f"trains{number}", "look", run))
            if number not in ended and "Done: page/" in shown:
                ended.append(number)
        time.sleep(1)
    return ended


@contextmanager
def watched(address: str, every: float = 0.5) -> Iterator[list[float]]:
    """Let somebody look at a view again and again; yield how long each look took, a failed one without end."""
    waits, over = [], threading.Event()
    client = Client(address, verbose=False)

    def look() -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                client.predict(*VIEWS["/next_token"], api_name="/next_token")
                waits.append(time.monotonic() - began)
            except Exception:
                waits.append(float("inf"))
            over.wait(every)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield waits
    finally:
        over.set()
        looking.join()


def many_labs(address: str) -> None:
    """Ask for 45 labs, each for a session of its own, and listen to none."""
    wire = Wire(address)
    for number in range(45):
        wire.ask(f"lab{number}", "run_chosen", "losses")


def starts_and_stops(address: str) -> None:
    """Start and stop 20 trainings, each for an owner of his own."""
    wire = Wire(address)
    for number in range(20):
        session, owner = f"stops{number}", f"stops {number}"
        answer = wire.call(session, "start", *TRAINING, owner)
        if "data" in answer:
            wire.call(session, "stop", answer["data"][0], owner)


def long_words(address: str) -> None:
    """Train ten tokenizers at once on 199,000 CJK letters without a space, and listen to none."""
    letters = "".join(chr(0x4E00 + i * 7919 % 20000) for i in range(199_000))
    for _ in range(10):
        httpx.post(f"{address.rstrip('/')}/gradio_api/call/train_bpe", json={"data": [letters, 1000]}, timeout=60)


def drawings_unheard(address: str) -> None:
    """Ask for 300 drawings, each for a session of its own, and go away."""
    client, name = Client(address, verbose=False), "/draw/inside"
    for number in range(300):
        with suppress(httpx.TimeoutException):
            draw(client, name, *VIEWS[name], f"draws{number}", seconds=0.05)


ATTACKS: dict[str, Callable[[str], None]] = {
    "45 labs": many_labs,
    "20 starts and stops": starts_and_stops,
    "long words": long_words,
    "300 drawings": drawings_unheard,
}
