"""A training from its settings to a published run folder, whatever is trained.

    open or resume the folder → task → loop → best and last weights scored → model, figures, card → run.json

Every file is replaced whole, and run.json comes last with the hashes of the others. A kill in between leaves a run
without `metrics`, which the same command finishes.
"""

import dataclasses
import logging
import os
import shutil
from pathlib import Path
from typing import Protocol

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from safetensors.torch import load_file

from hf_llm.config import UserError, as_dict
from hf_llm.recipes.report import print_evaluation
from hf_llm.recipes.trackers import Trackers
from hf_llm.runs.atomic import disk_errors, ordinary_mode, replace, sync_file
from hf_llm.runs.manifest import command_line, commit, environment, hashes
from hf_llm.runs.run import Run, open_run
from hf_llm.training.checkpointing import load_weights
from hf_llm.training.config import TrainingConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import TrainingResult, train
from hf_llm.training.memory import peak_memory_bytes
from hf_llm.training.precision import resolve_precision
from hf_llm.training.task import Task

logger = logging.getLogger(__name__)


class Job(Protocol):
    """What differs between trainings. Subclass it.

    Attributes:
        name: Stands in run.json, so that `verify` knows how to repeat the run.
        config: The settings.
    """

    name: str
    config: TrainingConfig

    def inputs(self) -> dict:
        """Return what went in, for the manifest: `data` with its SHA-256, a `tokenizer` where there is one."""

    def prepare(self, processes: PartialState) -> Task:
        """Return the task, untrained; may print what is to come.

        Raises:
            UserError: When it cannot be trained on this machine.
        """

    def score(self, task: Task) -> dict:
        """Return the figures of `task.model` on the whole validation part; {} without one."""

    def test(self, task: Task) -> dict:
        """Return the figures of the published weights on data that is looked at once, at the end; {} without any."""
        return {}

    def describe(self, task: Task, result: TrainingResult, speed: float) -> dict:
        """Return further entries of the manifest, from the weights that are published.

        Args:
            task: Its model holds the weights that are published.
            result: What came out of the loop.
            speed: Items (tokens, images) a second, the median over the log.
        """

    def parts(self, task: Task) -> list:
        """Return what is saved by `save_pretrained`: model, tokenizer or image processor."""

    def draw(self, task: Task, records: list[dict], folder: Path, published_step: int) -> None:
        """Write the figures into `folder`, from the lines of log.jsonl and the published weights."""

    def write_card(self, folder: Path, manifest: dict) -> None:
        """Write README.md."""

    def report(self, folder: Path, manifest: dict) -> str:
        """Return what a person is told at the end."""


def run_job(job: Job) -> dict:
    """Train as `job.config` says, or go on with the run that `output_dir` holds, and print what came out.

    Returns:
        The manifest (run.json); of a finished run it has `metrics`.

    Raises:
        UserError: For bad input, a diverged loss, a full disk, a signal.
    """
    config, processes = job.config, start_processes(job.config.threads)
    first = processes.is_main_process
    manifest = {
        "job": job.name,
        "command": command_line(),
        "config": as_dict(config),
        "seed": config.seed,
        **job.inputs(),
        "environment": environment(),
        "commit": commit(),
        "world_size": processes.num_processes,
        "resumed_from": [],
    }
    with open_run(Path(config.output_dir), manifest, config.save_total_limit, config.restart, first) as run:
        run.manifest = broadcast_object_list([run.manifest])[0]  # what the first process found in the folder
        if "metrics" not in run.manifest:
            task = job.prepare(processes)
            result = _train(job, task, run, processes)
            if first:
                publish(job, task, run, result)
    if first:
        print(job.report(run.folder, run.manifest))
    manifest = broadcast_object_list([run.manifest])[0]
    processes.destroy_process_group()  # gloo's threads would abort a process that ends while they run
    return manifest


def _train(job: Job, task: Task, run: Run, processes: PartialState) -> TrainingResult:
    config, first = job.config, processes.is_main_process
    if "resolved" not in run.manifest:
        run.manifest["resolved"] = resolve(config, task, processes.device)
    resolved = run.manifest["resolved"]
    if first:
        run.write_manifest()

    def on_record(record: dict) -> None:
        trackers.log(record)
        if "validation_loss" in record:
            print_evaluation(record)

    settings = dataclasses.replace(config, precision=resolved["precision"], threads=resolved["threads"])
    with Trackers(config.report_to, run.folder, config) as trackers:
        result = train(task, settings, run, on_record)
    if result.interrupted:
        raise UserError(
            f"stopped at step {result.progress.step} of {config.max_steps}; "
            f"the checkpoint is in {run.checkpoints}; the same command goes on from there"
        )
    return result


def resolve(config: TrainingConfig, task: Task, device: torch.device) -> dict:
    """Decide what `auto` means on this machine. Resuming and verifying use the record, not a new decision."""
    return {
        "precision": resolve_precision(config.precision, task, device),
        "compile": config.compile,
        "attention": getattr(config, "attention", None),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
    }


def publish(job: Job, task: Task, run: Run, result: TrainingResult) -> None:
    """Score the last and the best weights and publish the best; completes `run.manifest` and writes it.

    Without a validation part there is no best: the last weights are published.

    Raises:
        UserError: When the disk is full or not writable.
    """
    logger.debug("publish")
    progress, model = result.progress, task.model
    last = best = job.score(task) | {"step": progress.step}
    if progress.best_step not in (0, progress.step):
        load_weights(model, load_file(run.best_weights))
        best = job.score(task) | {"step": progress.best_step}
    records = run.log.records()
    speeds = sorted(record[f"{task.unit}_per_second"] for record in records[1:] or records)
    speed = speeds[len(speeds) // 2]

    figures = run.folder / "figures"
    with disk_errors(f"the trained model in {run.folder}"):
        names = _publish_files(run.folder, job.parts(task))
        job.draw(task, records, figures, best["step"])
    run.manifest["metrics"] = {
        "train": {"loss": progress.train_loss},
        "validation": best,
        "validation_last": last,
    }
    if test := job.test(task):
        run.manifest["metrics"]["test"] = test | {"step": best["step"]}
    run.manifest |= job.describe(task, result, speed) | {
        "wall_seconds": round(progress.seconds, 1),
        f"{task.unit}_per_second": speed,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    run.manifest["figures"] = sorted(f"figures/{path.name}" for path in figures.glob("*.png"))
    with disk_errors(f"the model card in {run.folder}"):
        job.write_card(run.folder, run.manifest)
    run.manifest["files"] = hashes(run.folder, [*names, "README.md", *run.manifest["figures"], "log.jsonl"])
    run.write_manifest()


def _publish_files(folder: Path, parts: list) -> list[str]:
    """Save the parts beside the run folder's files, then put each file in place. Returns their names."""
    temporary = folder / ".publish"
    shutil.rmtree(temporary, ignore_errors=True)
    for part in parts:
        part.save_pretrained(temporary)
    names = sorted(path.name for path in temporary.iterdir())
    for name in names:
        ordinary_mode(temporary / name)
        sync_file(temporary / name)
        replace(temporary / name, folder / name)
    os.rmdir(temporary)
    return names
