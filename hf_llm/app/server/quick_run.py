"""The short version of an experiment, run for a visitor of the page in a process of its own.

An experiment seeds torch's generators, sets the threads of its process and stops nowhere but between two of its cells.
In a process of its own it disturbs no other page, gives the numbers that the script gives, and ends when asked to.
"""

import multiprocessing
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from hf_llm.app.server.background import stand_back
from hf_llm.config import UserError, require
from hf_llm.experiments.config import EXPERIMENTS, ExperimentConfig
from hf_llm.texts import both

TICK = 1.0  # seconds between two signs of life


def arguments(name: str) -> list[str]:
    """Return the arguments of the command that does the same."""
    return ["hf-llm", "discuss", name, "--quick", "--output_dir", f"runs/discuss/{name}"]


def quick_run(name: str, folder: str, limit: float) -> Iterator[tuple[int, int]]:
    """Run the short version of the experiment called `name`, and write its result into `folder`.

    Args:
        name: One of `EXPERIMENTS`.
        folder: Where result.json, figures and reports go.
        limit: Seconds after which it is ended.

    Yields:
        (done, total), at least once a second; (0, 0) while the libraries load. To close the iterator ends the process.

    Raises:
        UserError: When there is no such experiment, it lacks its data, it failed, or its time is over.
    """
    require(name in EXPERIMENTS, both("experiment.unknown", names=", ".join(EXPERIMENTS)))
    command = " ".join(arguments(name))
    context = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    messages, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(name, folder, sender), daemon=True)
    process.start()
    stand_back(process.pid)
    sender.close()  # the process has the other copy: when it ends, so does the pipe
    end = time.monotonic() + limit
    latest: tuple[int, int] | UserError | None = (0, 0)
    try:
        while latest is not None:
            yield latest
            latest = _newest(messages, latest)
            if isinstance(latest, UserError):
                raise latest
            require(time.monotonic() <= end, both("experiment.too_long", seconds=round(limit), command=command))
        process.join()
        require(not process.exitcode, both("experiment.failed", command=command))
    finally:
        process.kill()
        process.join()
        messages.close()


def _newest(messages: Connection, latest: tuple[int, int]) -> tuple[int, int] | UserError | None:
    """Return, after `TICK`, the newest progress, or at once an error, or None for the end."""
    tick = time.monotonic() + TICK
    while (left := tick - time.monotonic()) > 0 and messages.poll(left):
        try:
            latest = messages.recv()
        except EOFError:
            return None
        if isinstance(latest, UserError):
            break
    return latest


def _run(name: str, folder: str, sender: Connection) -> None:
    """Run in the new process; an error that a user can mend is sent."""
    sys.argv = arguments(name)  # what the report gives as the command that makes it again
    from hf_llm.experiments.run import run_experiment

    config = ExperimentConfig(output_dir=folder, quick=True)
    try:
        run_experiment(name, config, lambda done, total: sender.send((done, total)))
    except UserError as error:
        sender.send(error)
