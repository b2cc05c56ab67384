"""Twenty visitors of the web app for two minutes: what they get, how long they wait, what the server keeps in memory.

The app runs as its own process, on a GPT-2 of the demo's size. The visitors are unmodified `gradio_client`s that call
what a class would, each in an order drawn from its number. Every text with the same seed must be the same for everyone.
After that a burst overfills the queue, and whoever does not fit must get a clear error message.
"""

import random
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

import psutil
from gradio_client import Client

from hf_llm.app.server.build import QUEUE
from hf_llm.benchmarks.app_process import ADDRESS, running_app, train_story
from hf_llm.benchmarks.record import spread, write_result
from hf_llm.config import require

VISITORS, SECONDS = 20, 120
GROWTH = 200_000_000  # bytes between the ends of the two minutes
BURST = 2 * QUEUE
SENTENCE = "O gato que estava no quarto do apartamento 3 foi encontrado ontem."
CALLS = {
    "/generate": ("I had always thought", "story", 30, True, 0.8, 0, 1.0, 1.0, 7),
    "/next_token": (SENTENCE, "story", 20),
    "/tokenize": (SENTENCE, ["story"]),
    "/train_bpe": (SENTENCE * 20, 300),
    "/inspect": (SENTENCE, "story", 1, 1),
    "/logit_lens": (SENTENCE, "story"),
}


def run(output_dir: Path) -> None:
    """Train a small model, start the app, send the visitors, write result.json; four minutes."""
    with tempfile.TemporaryDirectory() as folder:
        train_story(Path(folder), vocab_size=1000, n_positions=64, max_steps=60)
        with running_app(Path(folder), "--requests_per_minute", "0") as (server, lines):
            Client(ADDRESS, verbose=False).predict(*CALLS["/next_token"], api_name="/next_token")  # loads the model
            result = two_minutes(psutil.Process(server.pid))
            result["burst"] = burst()
    result["server_tracebacks"] = sum("Traceback" in line for line in lines)
    write_result(output_dir, **result)
    print({key: value for key, value in result.items() if key != "memory_megabytes"})
    checks = [*result["checks"].items(), *result["burst"]["checks"].items()]
    failed = [name for name, good in checks if not good]
    require(not failed, f"the app did not hold: {', '.join(failed)}")


class Visits:
    """What all visitors together met; safe to write to from their threads."""

    def __init__(self):
        self.seconds: dict[str, list[float]] = {name: [] for name in CALLS}
        self.answers: dict[str, set[str]] = {name: set() for name in CALLS}
        self.refused, self.failed = Counter(), Counter()
        self._lock = threading.Lock()

    def call(self, client: Client, name: str) -> None:
        """Make one call and note what came of it."""
        began = time.monotonic()
        try:
            answer = repr(client.predict(*CALLS[name], api_name=name))
        except Exception as error:
            with self._lock:
                words = f"{type(error).__name__}: {error}"
                (self.refused if "full" in words.lower() else self.failed)[words[:300]] += 1
            time.sleep(0.5)
            return
        with self._lock:
            self.seconds[name].append(time.monotonic() - began)
            self.answers[name].add(answer)


def two_minutes(process: psutil.Process) -> dict:
    """Send the visitors; return the figures and what they must hold."""
    visits, until = Visits(), time.monotonic() + SECONDS

    def visit(number: int) -> None:
        client, choose = Client(ADDRESS, verbose=False), random.Random(number)
        while time.monotonic() < until:
            visits.call(client, choose.choice(list(CALLS)))

    memory = []
    with ThreadPoolExecutor(VISITORS) as visitors:
        visiting = visitors.map(visit, range(VISITORS))
        while time.monotonic() < until:
            memory.append(process.memory_info().rss)
            time.sleep(1)
    list(visiting)  # raises what a visitor raised
    first, second = mean(memory[len(memory) // 2 - 10 : len(memory) // 2]), mean(memory[-10:])
    return {
        "visitors": VISITORS, "seconds": SECONDS, "refused": dict(visits.refused), "failed": dict(visits.failed),
        "calls": {name: len(seconds) for name, seconds in visits.seconds.items()},
        "checks": {
            "every call was answered or refused in words": not visits.failed,
            "each call was answered": all(visits.seconds.values()),
            "the same seed gave everyone the same text": len(visits.answers["/generate"]) == 1,
            "memory grew by less than 200 MB in the second minute": second - first < GROWTH,
        },
        "memory_growth_megabytes": round((second - first) / 1e6, 1),
        "memory_megabytes": [round(rss / 1e6) for rss in memory],
        "timings": {name: spread(seconds) for name, seconds in visits.seconds.items() if seconds},
    }  # fmt: skip


def burst() -> dict:
    """Ask for more at once than may wait; return how many were answered and what the others were told."""
    client, outcomes = Client(ADDRESS, verbose=False, max_workers=BURST), Counter()
    text, model, _, *settings = CALLS["/generate"]
    jobs = [client.submit(text, model, 200, *settings, api_name="/generate") for _ in range(BURST)]
    for job in jobs:
        try:
            job.result(timeout=300)
            outcomes["answered"] += 1
        except Exception as error:
            outcomes[f"{type(error).__name__}: {error}"[:300]] += 1
    told = {words: count for words, count in outcomes.items() if words != "answered"}
    checks = {
        "some were answered": outcomes["answered"] > 0,
        "the others were told that the queue is full": bool(told) and all("full" in words.lower() for words in told),
    }
    return {"at_once": BURST, "outcomes": dict(outcomes), "checks": checks}
