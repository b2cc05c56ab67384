"""A class of 100 at the web app for five minutes, three of them training, and then four attacks.

The app runs as its own process, on a GPT-2 of the demo's size; the visitors share its cores. What must hold: no call
fails, views are there within 3 s for 95 of 100, memory stays, trainings end in the order of their coming, models stay,
and during and after an attack everybody else is answered within 3 s.
"""

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

import psutil
from gradio_client import Client

from hf_llm.benchmarks.app_process import ADDRESS, running_app, train_story
from hf_llm.benchmarks.app_visitors import ATTACKS, VIEWS, lesson, train, watched
from hf_llm.benchmarks.record import spread, write_result
from hf_llm.config import require

STUDENTS, SECONDS, THINK = 100, 300.0, 20.0
ARRIVING = 60.0  # seconds; a client of the API opens in a quarter of a second of a core, most of it its own
TRAININGS = 3
GROWTH = 300_000_000  # bytes, from the first minute to the end
WAIT = 3.0  # seconds, for a view
AFTER = 20.0  # seconds for which others are watched after an attack


def run(output_dir: Path) -> None:
    """Train a small model, start the app, send the visitors, write result.json; eight minutes."""
    with tempfile.TemporaryDirectory() as folder:
        train_story(Path(folder), vocab_size=1000, n_positions=64, max_steps=60)
        with running_app(Path(folder), "--training_steps", "60") as (server, lines):
            Client(ADDRESS, verbose=False).predict(*VIEWS["/next_token"], api_name="/next_token")  # loads the model
            result = class_and_trainings(psutil.Process(server.pid))
            models = {path.parent for path in Path(folder).glob("page/*/model.safetensors")}
            result["attacks"] = {name: attacked(name) for name in ATTACKS}
            result["checks"] |= {
                f"others were answered within {WAIT:g} s during and after {name}": max(waits) <= WAIT
                for name, waits in result["attacks"].items()
            }
            kept = {path.parent for path in Path(folder).glob("page/*/model.safetensors")}
            result["checks"]["the models of the class are there"] = len(models) == TRAININGS and models <= kept
    result["attacks"] = {name: spread(waits) for name, waits in result["attacks"].items()}
    result["server_tracebacks"] = sum("Traceback" in line for line in lines)
    result["checks"]["the server printed no traceback"] = not result["server_tracebacks"]
    write_result(output_dir, **result)
    print({key: value for key, value in result.items() if key != "memory_megabytes"})
    failed = [name for name, good in result["checks"].items() if not good]
    require(not failed, f"the app did not hold: {', '.join(failed)}")


def class_and_trainings(process: psutil.Process) -> dict:
    """Let the class come and three of it train; return the figures and what they must hold."""
    memory, over = [], threading.Event()

    def measure() -> None:
        while not over.wait(1):
            memory.append(process.memory_info().rss)

    measuring = threading.Thread(target=measure)
    measuring.start()
    with ThreadPoolExecutor(2) as both:
        studying = both.submit(lesson, ADDRESS, STUDENTS, SECONDS, THINK, ARRIVING)
        time.sleep(ARRIVING)
        training = both.submit(train, ADDRESS, TRAININGS)
    over.set()
    measuring.join()
    visits, ended = studying.result(), training.result()
    views = [seconds for name in VIEWS for seconds in visits.seconds[name]]
    growth = memory[-1] - memory[min(60, len(memory) // 2)]
    return {
        "students": STUDENTS, "seconds": SECONDS, "failed": dict(visits.failed),
        "calls": {name: len(seconds) for name, seconds in visits.seconds.items()},
        "checks": {
            "no call failed": not visits.failed,
            "each call was answered": all(visits.seconds.values()),
            "95 of 100 views were there within 3 s": quantiles(views, n=20)[-1] <= WAIT,
            "the same seed gave everyone the same text": len(visits.answers["/generate"]) == 1,
            "memory grew by less than 300 MB after the first minute": growth < GROWTH,
            "trainings ended in the order of their coming": ended == [*range(TRAININGS)],
        },
        "memory_growth_megabytes": round(growth / 1e6, 1),
        "memory_megabytes": [round(rss / 1e6) for rss in memory],
        "timings": {
            "opening": spread(visits.opening),
            "views": {"percentile_95": round(quantiles(views, n=20)[-1], 3)},
            **{name: spread(seconds) for name, seconds in visits.seconds.items() if seconds},
        },
    }  # fmt: skip


def attacked(name: str) -> list[float]:
    """Attack the app; return how long others waited during that and afterwards."""
    with watched(ADDRESS) as waits:
        ATTACKS[name](ADDRESS)
        time.sleep(AFTER)
    return waits
