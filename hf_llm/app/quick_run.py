"""The short version of an experiment, run for a visitor of the page in a process of its own.

An experiment seeds torch's generators, sets the threads of its process and stops nowhere but between two of its cells.
In a process of its own it disturbs no other page, gives the numbers that the script gives, and ends when it is told to.
"""

import multiprocessing
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from hf_llm.app.texts import Language, text
from hf_llm.config import UserError
from hf_llm.experiments.config import EXPERIMENTS, ExperimentConfig

TICK = 1.0  # seconds between two signs of life


def command(name: str) -> str:
    """Return the command that does the same."""
    return " ".join(["python", *_words(name)])


def quick_run(name: str, folder: str, limit: float, lang: Language) -> Iterator[tuple[int, int]]:
    """Run the short version of the experiment called `name`, and write its result into `folder`.

    Args:
        name: One of `EXPERIMENTS`.
        folder: Where result.json, figures and reports go.
        limit: Seconds after which it is ended.
        lang: Language of the errors.

    Yields:
        (done, total), at least once a second; (0, 0) while the libraries load. To close the iterator ends the process.

    Raises:
        UserError: When there is no such experiment, it lacks its data, it failed, or its time is over.
    """
    if name not in EXPERIMENTS:
        raise UserError(text("study.unknown", lang, names=", ".join(EXPERIMENTS)))
    context = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    messages, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(name, folder, sender), daemon=True)
    process.start()
    sender.close()  # the process has the other copy: when it ends, so does the pipe
    end = time.monotonic() + limit
    latest: tuple[int, int] | str | None = (0, 0)
    try:
        while latest is not None:
            yield latest
            latest = _newest(messages, latest)
            if isinstance(latest, str):
                raise UserError(latest)
            if time.monotonic() > end:
                raise UserError(text("study.too_long", lang, seconds=round(limit), command=command(name)))
        process.join()
        if process.exitcode:
            raise UserError(text("study.failed", lang, command=command(name)))
    finally:
        process.kill()
        process.join()
        messages.close()


def _newest(messages: Connection, latest: tuple[int, int]) -> tuple[int, int] | str | None:
    """Return, after `TICK`, the newest progress, or at once the sentence of an error, or None for the end."""
    tick = time.monotonic() + TICK
    while (left := tick - time.monotonic()) > 0 and messages.poll(left):
        try:
            latest = messages.recv()
        except EOFError:
            return None
        if isinstance(latest, str):
            break
    return latest


def _words(name: str) -> list[str]:
    return ["scripts/discuss.py", name, "--quick", "--output_dir", f"runs/discuss/{name}"]


def _run(name: str, folder: str, sender: Connection) -> None:
    """Run in the new process; an error with a sentence sends it."""
    sys.argv = _words(name)  # what the report gives as the command that makes it again
    from hf_llm.experiments.command import measure

    try:
        measure(name, ExperimentConfig(output_dir=folder, quick=True), lambda done, total: sender.send((done, total)))
    except UserError as error:
        sender.send(str(error))
