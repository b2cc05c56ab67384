"""Trackers beside log.jsonl: accelerate's own, where the settings name some."""

from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import is_tensorboard_available, is_trackio_available, is_wandb_available

from hf_llm.config import as_dict, require
from hf_llm.training.config import TrainingConfig

AVAILABLE = {"tensorboard": is_tensorboard_available, "trackio": is_trackio_available, "wandb": is_wandb_available}


class Trackers:
    """Sends the numbers of each record to the trackers named in `report_to`; without any it does nothing.

    Raises:
        UserError: When a tracker is not installed.
    """

    def __init__(self, report_to: list[str], folder: Path, config: TrainingConfig):
        for name in report_to:
            require(AVAILABLE[name](), f"the tracker {name} is not installed; run: pip install {name}")
        self.accelerator = Accelerator(log_with=report_to, project_dir=folder) if report_to else None
        if self.accelerator:
            settings = {name: str(value) for name, value in as_dict(config).items()}
            self.accelerator.init_trackers(folder.name, config=settings)

    def log(self, record: dict) -> None:
        if self.accelerator:
            numbers = {name: value for name, value in record.items() if isinstance(value, (int, float))}
            self.accelerator.log(numbers, step=record["step"])

    def __enter__(self) -> "Trackers":
        return self

    def __exit__(self, *_) -> None:
        if self.accelerator:
            for tracker in self.accelerator.trackers:
                tracker.finish()
