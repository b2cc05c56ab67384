"""Twenty visitors of the web app for two minutes: what they get, how long they wait, what the server keeps in memory.

The app runs as its own process, on a GPT-2 of the demo's size. The visitors are unmodified `gradio_client`s that call
what a class would, each in an order drawn from its number. Every text with the same seed must be the same for everyone.
After that a burst overfills the queue, and whoever does not fit must get a clear error message.
"""

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import mean, median

import psutil
from gradio_client import Client

from hf_llm.app.server.build import QUEUE
from hf_llm.benchmarks.record import write_result
from hf_llm.config import require
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

ROOT = Path(__file__).parents[2]
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
        runs = Path(folder) / "runs"
        pretrain(
            PretrainConfig(
                output_dir=str(runs / "story"), corpus="sample", model="micro", vocab_size=1000, n_positions=64,
                max_steps=60, precision="fp32", threads=1, attention="eager",
            )
        )  # fmt: skip
        server, address, lines = start_server(runs)
        try:
            result = two_minutes(address, psutil.Process(server.pid))
            result["burst"] = burst(address)
        finally:
            server.terminate()
            server.wait()
    result["server_tracebacks"] = sum("Traceback" in line for line in lines)
    write_result(output_dir, result)
    print({key: value for key, value in result.items() if key != "memory_megabytes"})
    failed = [name for name, good in result["checks"].items() if not good] + [
        name for name, good in result["burst"]["checks"].items() if not good
    ]
    require(not failed, f"the app did not hold: {', '.join(failed)}")


def start_server(runs: Path) -> tuple[subprocess.Popen, str, list[str]]:
    """Return the process, its address and the lines that it prints, once it answers."""
    port = 7990
    server = subprocess.Popen(
        [sys.executable, "space_app.py", "--runs", str(runs), "--port", str(port), "--requests_per_minute", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(server.stdout), daemon=True).start()
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 120
    while True:
        try:
            Client(address, verbose=False).predict(*CALLS["/next_token"], api_name="/next_token")
            return server, address, lines
        except Exception as error:  # it is not listening yet
            require(time.monotonic() < until and server.poll() is None, f"the app did not start: {error} {lines[-3:]}")
            time.sleep(0.5)


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


def two_minutes(address: str, process: psutil.Process) -> dict:
    """Send the visitors; return the figures and what they must hold."""
    visits, until = Visits(), time.monotonic() + SECONDS

    def visit(number: int) -> None:
        client, choose = Client(address, verbose=False), random.Random(number)
        while time.monotonic() < until:
            visits.call(client, choose.choice(list(CALLS)))

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(VISITORS)]
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < until:
        memory.append(process.memory_info().rss)
        time.sleep(1)
    for thread in threads:
        thread.join()
    first, second = mean(memory[len(memory) // 2 - 10 : len(memory) // 2]), mean(memory[-10:])
    return {
        "visitors": VISITORS,
        "seconds": SECONDS,
        "calls": {name: len(seconds) for name, seconds in visits.seconds.items()},
        "refused": dict(visits.refused),
        "failed": dict(visits.failed),
        "checks": {
            "every call was answered or refused in words": not visits.failed,
            "each call was answered": all(visits.seconds.values()),
            "the same seed gave everyone the same text": len(visits.answers["/generate"]) == 1,
            "memory grew by less than 200 MB in the second minute": second - first < GROWTH,
        },
        "memory_growth_megabytes": round((second - first) / 1e6, 1),
        "memory_megabytes": [round(rss / 1e6) for rss in memory],
        "timings": {
            name: {"median": round(median(seconds), 3), "slowest": round(max(seconds), 3)}
            for name, seconds in visits.seconds.items()
            if seconds
        },
    }


def burst(address: str) -> dict:
    """Ask for more at once than may wait; return how many were answered and what the others were told."""
    client, outcomes = Client(address, verbose=False, max_workers=BURST), Counter()
    long = list(CALLS["/generate"])
    long[2] = 200
    jobs = [client.submit(*long, api_name="/generate") for _ in range(BURST)]
    for job in jobs:
        try:
            job.result(timeout=300)
            outcomes["answered"] += 1
        except Exception as error:
            outcomes[f"{type(error).__name__}: {error}"[:300]] += 1
    told = {words: count for words, count in outcomes.items() if words != "answered"}
    return {
        "at_once": BURST,
        "outcomes": dict(outcomes),
        "checks": {
            "some were answered": outcomes["answered"] > 0,
            "the others were told that the queue is full": bool(told) and all("full" in w.lower() for w in told),
        },
    }
