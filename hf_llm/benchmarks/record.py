"""How a measurement is made and kept: from which recipe, in whose turn, by which command, on what."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

from hf_llm.config import load_yaml
from hf_llm.runs.atomic import write_json, write_text
from hf_llm.runs.manifest import command_for_others, command_line, commit, environment


def recipe(config_class: type, name: str, **changes):
    """Return the settings of the committed recipe `name`, such as gpt2/verdict, but for some changes."""
    values = load_yaml(config_class, name)
    return dataclasses.replace(config_class(**values), **changes)


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(contestants: dict[object, Callable[[], object]], rounds: int) -> dict[object, list]:
    """Call each contestant once a round and return what it returned, {name: [result of each round]}.

    The order is turned round each time: a minute of a shared machine can be half as fast as the next, for all of them.
    """
    results, order = {name: [] for name in contestants}, list(contestants)
    for _ in range(rounds):
        for name in order:
            results[name].append(contestants[name]())
        order.reverse()
    return results


def speeds(times: dict[str, list[float]], items: float, digits: int = 0) -> dict[str, dict[str, float]]:
    """Return each contestant's median, slowest and fastest items per second, of the seconds that `items` took."""
    figures = {"tokens_per_second": median, "slowest": max, "fastest": min}
    return {
        name: {key: round(items / of(taken), digits or None) for key, of in figures.items()}
        for name, taken in times.items()
    }


def ratios(times: dict[str, list[float]], ours: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return theirs / ours of the same round, the median over rounds: above 1 where ours is faster."""
    return {
        our: {
            name: round(median(theirs / mine for theirs, mine in zip(taken, times[our])), 3)
            for name, taken in times.items()
            if name not in ours
        }
        for our in ours
    }


def spread(times: list[float]) -> dict[str, float]:
    """Return the median and the longest of some seconds."""
    return {"median": round(median(times), 3), "slowest": round(max(times), 3)}


def write_result(output_dir: Path, **result) -> None:
    """Write result.json with the command, the commit and the environment beside the figures."""
    output_dir.mkdir(parents=True, exist_ok=True)
    origin = {"command": command_for_others(command_line()), "commit": commit(), "environment": environment()}
    write_json(output_dir / "result.json", {**origin, **result})


def conclude(output_dir: str | None, name: str, records: list[dict], problems: list[str], **result) -> bool:
    """End a test that draws faults: print its problems, keep records and result, and return whether it passed.

    Args:
        output_dir: Folder for result.json and the file `name`, with a record a line; None writes neither.
    """
    print(*problems, sep="\n")
    if output_dir:
        write_result(Path(output_dir), **result, passed=not problems)
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        write_text(Path(output_dir) / name, "".join(lines))
    return not problems
