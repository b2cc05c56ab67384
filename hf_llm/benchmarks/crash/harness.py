"""kill -9 a training anywhere, start it again, and compare the end with that of an undisturbed run.

This process imports the libraries once and forks a child for each run, so that a run starts in a tenth of a second.
A child announces its phase through two bytes that it shares with this process: a logging handler, added here,
writes there what the product logs anyway (`train`, `evaluate`, `save`, `rename`, `prune`, `publish`). The product
itself knows nothing of the harness.

Each kill is a run of its own: started in a new folder, killed once, and started again by the same call, which must
go on unaided to the same end. The seed draws the stage of the kill (the start-up, one of the steps, the publishing)
and the time within it; every other kill of a step counts its time from where the step begins to save, so that a busy
machine, on which a step computes far longer than it saves, is still hit everywhere.
"""

import logging
import mmap
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PHASES = ("start", "train", "evaluate", "save", "rename", "prune", "publish")
SAVING = ("save", "rename", "prune")
STAGES = ("train", "publish")  # these begin a new stage; the start-up is stage 0


class Job(Protocol):
    """A training that saves each step."""

    steps: int  # to the end

    def run(self, folder: Path, keep: int | None) -> None:
        """Train in `folder` to the end, or go on from what is there; keep so many checkpoints, None: all."""

    def outcome(self, folder: Path) -> dict[str, str]:
        """Return {name: SHA-256} of what must not depend on a kill."""

    def step(self, folder: Path) -> int:
        """Return the step of the newest checkpoint, 0 without one."""


@dataclass(frozen=True)
class Reference:
    """An undisturbed run: how it ended, and how long its stages took in seconds."""

    outcome: dict[str, str]
    startup: float
    step: float  # the mean one, checkpoint and evaluation included
    saving: float  # the mean step's save, rename and prune
    publish: float

    def seconds(self, stage: int, steps: int) -> float:
        """Return how long a stage takes."""
        return self.startup if stage == 0 else self.step if stage <= steps else self.publish


class Child:
    """A run of `job` in a process of its own; the file `output` receives what it prints."""

    def __init__(self, job: Job, folder: Path, keep: int | None, output: Path):
        self._shared = mmap.mmap(-1, 2)  # with the child: its phase, its stage
        self.pid = os.fork()
        if self.pid == 0:
            self._run(job, folder, keep, output)

    @property
    def phase(self) -> str:
        return PHASES[self._shared[0]]

    @property
    def stage(self) -> int:
        return self._shared[1]

    def watch(self, until: Callable[[], bool]) -> float:
        """Return, once `until()` holds or the child has ended, the seconds of this watch that it was saving."""
        saving, last = 0.0, time.perf_counter()
        while not until() and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.0005)
            now = time.perf_counter()
            saving += (now - last) * (self.phase in SAVING)
            last = now
        return saving

    def wait(self) -> int:
        """Return the exit code, or the negative number of the signal that ended the child."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _run(self, job: Job, folder: Path, keep: int | None, output: Path) -> None:
        code = 1
        try:
            sys.stdout = sys.stderr = open(output, "a", encoding="utf-8")  # noqa: SIM115 - open until the child ends
            os.dup2(sys.stdout.fileno(), 1)  # for what does not go through Python
            os.dup2(sys.stdout.fileno(), 2)
            announcer = logging.Handler()
            announcer.emit = self._announce
            logger = logging.getLogger("hf_llm")
            logger.addHandler(announcer)
            logger.setLevel(logging.DEBUG)
            job.run(folder, keep)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)  # not through the parent's clean-up

    def _announce(self, record: logging.LogRecord) -> None:
        if record.msg in PHASES:
            self._shared[0] = PHASES.index(record.msg)
            self._shared[1] += record.msg in STAGES


def undisturbed(job: Job, folder: Path, keep: int | None) -> Reference:
    """Run to the end and take the times."""
    output = folder.with_suffix(".txt")
    started = time.perf_counter()
    child = Child(job, folder, keep, output)
    child.watch(lambda: child.stage >= 1)
    first_step = time.perf_counter()
    saving, publishing = child.watch(lambda: child.stage > job.steps), time.perf_counter()
    code = child.wait()
    ended = time.perf_counter()
    if code != 0:
        raise RuntimeError(f"the undisturbed run ended with {code}:\n{output.read_text()}")
    return Reference(
        job.outcome(folder), first_step - started, (publishing - first_step) / job.steps, saving / job.steps,
        ended - publishing,
    )  # fmt: skip


def kill_and_resume(job: Job, keeps: list[int | None], kills: int, seed: int, workspace: Path) -> Iterator[dict]:
    """Kill `kills` runs, each once, and let each go on to its end.

    Args:
        keeps: Numbers of checkpoints to keep, in turn.
        seed: Of the times.
        workspace: Folder for the runs; what went wrong stays there.

    Yields:
        A record a kill: when and in which phase it hit, whether the second start went to the end, what differs.
    """
    draw = random.Random(seed)
    references = {keep: undisturbed(job, workspace / f"undisturbed-{keep}", keep) for keep in keeps}
    for number in range(kills):
        keep = keeps[number % len(keeps)]
        folder, output = workspace / f"run-{number}", workspace / f"run-{number}.txt"
        killed = None
        while killed is None:  # a run that ended before its time came was not killed: draw again
            shutil.rmtree(folder, ignore_errors=True)
            killed = _kill_one(job, folder, keep, output, references[keep], draw)
        step = job.step(folder)
        code = Child(job, folder, keep, output).wait()
        expected, found = references[keep].outcome, job.outcome(folder) if code == 0 else {}
        different = [name for name in expected if found.get(name) != expected[name]] if code == 0 else []
        record = {"kill": number, "keep": keep, **killed, "checkpoint": step, "exit_code": code, "different": different}
        if code != 0 or different:
            lines = output.read_text().replace(f"{workspace}/", "").strip().splitlines()
            record["error"] = lines[-1][:200] if lines else "another end"
        else:
            shutil.rmtree(folder)
        yield record


def survived(record: dict) -> bool:
    """Return whether the run went on unaided to the same end."""
    return record["exit_code"] == 0 and not record["different"]


def _kill_one(
    job: Job, folder: Path, keep: int | None, output: Path, reference: Reference, draw: random.Random
) -> dict | None:
    """Start a run and kill it at a drawn time; None where it ended before."""
    stage, moment = draw.randrange(job.steps + 2), draw.random()
    aims_at_saving = 1 <= stage <= job.steps and draw.random() < 0.5
    seconds = moment * (reference.saving if aims_at_saving else reference.seconds(stage, job.steps))
    child = Child(job, folder, keep, output)
    child.watch(lambda: child.stage >= stage and (child.phase in SAVING or not aims_at_saving))
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    if child.wait() != -signal.SIGKILL:
        return None
    return {"stage": stage, "seconds": round(seconds, 4), "phase": child.phase}
