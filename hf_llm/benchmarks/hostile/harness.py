"""Run a command in each drawn environment, and look at how it ended and at what is left."""

import json
import os
import re
import signal
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from hf_llm.benchmarks.hostile.child import Place, enter, run_program
from hf_llm.benchmarks.hostile.draw import AT_IMPORT, FULL, Environment, draw
from hf_llm.benchmarks.hostile.left import found_below, half_written, outside
from hf_llm.benchmarks.hostile.world import World, built, can_mount, make_room
from hf_llm.config import python

DONE, REFUSED = "done", "one line"
GOOD = (DONE, REFUSED)
PATIENCE = 600  # seconds, of a command that takes one or two, on a machine that may do other things, too


def records(seed: int, first: int, count: int, model: Path, workspace: Path) -> Iterator[dict]:
    """Yield a record an environment, from the number `first` on; `model` is a finished run, `workspace` empty."""
    for number in range(first, first + count):
        environment = draw(seed, number, can_mount())
        with built(environment, model, workspace / "world") as world:
            yield environment._asdict() | meet(environment, world)


def meet(environment: Environment, world: World) -> dict:
    """Run the command in its environment, and return how it ended."""
    before = found_below(world)
    code, seconds = run(environment, world.place)
    out = Path(world.place.met).parent
    stdout, stderr = (_read(out / name) for name in ("stdout", "stderr"))
    said = [line for line in stderr.splitlines() if line.startswith("error: ")]
    outcome = ended(environment, code, stdout + stderr, said)
    if outcome in GOOD:
        outcome = outside(world, before) or half_written(environment, world, outcome == DONE) or outcome
    if environment.disk in FULL and outcome == REFUSED:
        make_room(world.mounted)
        (out / "stderr").unlink(missing_ok=True)
        run(environment, world.place)
        again = _read(out / "stderr")
        if "Traceback" in again or "No space left" in again:
            outcome = f"did not go on when there was room: {again[-300:]}"
        outcome = half_written(environment, world, False) or outcome
    met = sorted(set(_read(Path(world.place.met)).splitlines()))  # calls that the disk refused
    message = "; ".join(said).removeprefix("error: ").replace(str(world.workspace), "…")
    return {"exit_code": code, "outcome": outcome, "said": message[:300], "met": met, "seconds": round(seconds, 1)}


def ended(environment: Environment, code: int | None, output: str, said: list[str]) -> str:
    """Return how a command ended, by its exit code and what it printed."""
    if code is None:
        return "did not end"
    if "Traceback" in output or "Exception ignored" in output:
        return f"a traceback: {output[-400:]}"
    if code == 0:
        return DONE if not said else f"done, and an error: {said}"
    if environment.command == "verify" and code == 1 and not said:
        return DONE  # its answer is that the files differ
    if len(said) != 1:
        return f"no line, or several: {code} {output[-300:]!r}"
    return REFUSED


def run(environment: Environment, place: Place) -> tuple[int | None, float]:
    """Run the command; return its exit code, None where it did not end, and the seconds that it took."""
    started = time.perf_counter()
    child = _interpreter(place) if environment.variables in AT_IMPORT else _fork(place)
    while time.perf_counter() - started < PATIENCE:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), time.perf_counter() - started
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None, time.perf_counter() - started


def _fork(place: Place) -> int:
    """Start the command in a copy of this process, which has the libraries already."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        enter(place)
        code = run_program(place.words)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)  # not through the parent's clean-up


def _interpreter(place: Place) -> int:
    """Start the command in an interpreter of its own, whose libraries load in the environment."""
    description = Path(place.met).with_name("place.json")
    streams = {number: path for number, path in place.streams.items() if path}
    shut = [int(number) for number, path in place.streams.items() if not path]
    description.write_text(json.dumps(place._replace(streams=streams)._asdict()))

    words = python("-m", "hf_llm.benchmarks.hostile.child", str(description))
    return os.posix_spawn(
        words[0], words, place.variables, file_actions=[(os.POSIX_SPAWN_CLOSE, number) for number in shut]
    )


def _read(path: Path) -> str:
    """Return what a command printed, without what a shell would not show twice."""
    text = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
    return re.sub(r"\r[^\n]*\r", "", text)
