"""What is seen of a run while it trains: evaluations in the terminal, all numbers in the trackers."""

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import is_tensorboard_available, is_trackio_available, is_wandb_available
from tqdm.auto import tqdm

from hf_llm.config import require

AVAILABLE = {"tensorboard": is_tensorboard_available, "trackio": is_trackio_available, "wandb": is_wandb_available}


@contextmanager
def monitor(report_to: list[str], folder: Path, config: dict) -> Iterator[Callable[[dict], None]]:
    """Give the body a function that shows a record of the log.

    Args:
        report_to: Names of accelerate's trackers; log.jsonl is written without any.
        folder: The run folder, which gives the run its name.
        config: The settings, for the trackers.

    Raises:
        UserError: When a tracker is not installed.
    """
    for name in report_to:
        require(AVAILABLE[name](), f"the tracker {name} is not installed; run: pip install {name}")
    accelerator = Accelerator(log_with=report_to, project_dir=folder) if report_to else None
    if accelerator:
        accelerator.init_trackers(folder.name, config={name: str(value) for name, value in config.items()})

    def show(record: dict) -> None:
        if accelerator:
            numbers = {name: value for name, value in record.items() if isinstance(value, (int, float))}
            accelerator.log(numbers, step=record["step"])
        if "validation_loss" in record:
            _print_evaluation(record)

    try:
        yield show
    finally:
        for tracker in accelerator.trackers if accelerator else []:
            tracker.finish()


def _print_evaluation(record: dict) -> None:
    """Print one evaluation and the text that the model wrote at it, above the progress bar."""
    line = f"step {record['step']:>6}   loss {record['loss']:.3f}   validation {record['validation_loss']:.3f}"
    if "validation_accuracy" in record:
        line += f"   accuracy {record['validation_accuracy']:.2%}"
    if "bits_per_byte" in record:
        line += f"   {record['bits_per_byte']:.3f} bits per byte"
    tqdm.write(line)
    if "sample" in record:
        tqdm.write(textwrap.indent(textwrap.shorten(record["sample"], 150, placeholder=" …"), "             "))
