"""The training loop, top to bottom.

    for each step:
        draw the step's micro-batches            a pure function of (seed, step)
        forward and backward each of them        gradients add up; processes share the work
        clip, step, zero                         the learning rate depends on the step alone
        now and then: evaluate, sample, log, save

A step depends on nothing but the weights and the optimizer's moments before it, so a run that was killed goes on
bit for bit from its last checkpoint.
"""

import json
import logging
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, reduce
from tqdm.auto import tqdm

from hf_llm.config import UserError
from hf_llm.runs.run import Run
from hf_llm.training import checkpointing
from hf_llm.training.config import TrainingConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.optimizer import learning_rate, make_optimizer
from hf_llm.training.precision import autocast, resolve_precision
from hf_llm.training.progress import Progress
from hf_llm.training.signals import stop_on_signals
from hf_llm.training.task import Task

logger = logging.getLogger(__name__)


@dataclass
class TrainingResult:
    """What came out of one call of `train`."""

    progress: Progress
    records: list[dict]  # the lines of log.jsonl that this call wrote
    step_seconds: float | None  # median step, without the first and without evaluating and saving
    interrupted: bool  # by a signal


def train(
    task: Task, config: TrainingConfig, run: Run | None = None, on_record: Callable[[dict], None] | None = None
) -> TrainingResult:
    """Train `task.model` for `config.max_steps` optimizer steps, or go on where `run` stopped.

    Args:
        task: The model with its batches and its evaluation.
        config: Settings.
        run: Where to log and save; None keeps everything in memory, as the labs do.
        on_record: Called with each record of the log, for printing and trackers.

    Returns:
        The result. `task.model` holds the last weights; `run.best_weights` names the file of the best ones.

    Raises:
        UserError: When the loss is no longer finite, or a checkpoint cannot be written.
    """
    state = start_processes(config.threads)
    rank, world, device = state.process_index, state.num_processes, state.device
    precision = resolve_precision(config.precision, task, device)
    accelerator = Accelerator(cpu=device.type == "cpu")
    model = accelerator.prepare(task.model)  # on the device, inside DDP where there are several processes
    forward = torch.compile(model) if config.compile else model
    parameters = [parameter for parameter in task.model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(task.model, config)
    progress = checkpointing.resume(run, task.model, optimizer) if run else Progress()
    if run and config.log_samples:
        _forget_samples(run, progress.step, rank)
    accumulation, records, step_seconds = task.plan.accumulation, [], []
    earlier, started, pause, items = progress.seconds, time.perf_counter(), 0.0, 0
    silent = rank > 0 or run is None  # a lab trains many nets, and shows a bar of its own
    bar = tqdm(initial=progress.step, total=config.max_steps, unit="step", disable=silent or None)

    # without a run there is nothing to save, and a signal does what it always does
    with stop_on_signals() if run else nullcontext(False) as stop, bar:
        while not progress.finished(config):
            logger.debug("train")
            step, began = progress.step, time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, config)

            batches = [task.batch(step, micro_step, rank) for micro_step in range(accumulation)]
            (n,) = _sum_over_processes([sum(map(task.items, batches))], state)  # items of the whole step
            loss = torch.zeros((), device=device)
            if not model.training:  # an evaluation came before; asking each module costs a small net 3 % of a step
                model.train()
            for micro_step, batch in enumerate(batches):
                _seed(dropout_seed(config.seed, step, micro_step, rank), device)
                batch = {name: tensor.to(device) for name, tensor in batch.items()}
                last = micro_step == accumulation - 1
                with nullcontext() if last else accelerator.no_sync(model):  # DDP talks once a step
                    with autocast(precision, device):
                        micro_loss = task.loss(forward, batch, n)
                    (micro_loss * world).backward()  # DDP averages what is to be summed
                loss += micro_loss.detach()
                del micro_loss  # what is left of its graph pins the heap: 5.7 instead of 4.3 GB for GPT-2 small
            grad_norm = torch.nn.utils.clip_grad_norm_(parameters, config.max_grad_norm or math.inf).item()
            progress.train_loss, stops = _sum_over_processes([loss.item(), float(bool(stop))], state)
            if not math.isfinite(progress.train_loss + grad_norm):
                raise UserError(_not_finite(step + 1, config, run))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

            progress.step += 1
            items += n
            step_seconds.append(time.perf_counter() - began)
            bar.update()
            if run and config.log_samples:
                _log_samples(run, task, step, rank)

            last_step = progress.step == config.max_steps
            evaluates = last_step or progress.step % config.eval_steps == 0
            improved = False
            if evaluates or progress.step % config.logging_steps == 0:
                paused = time.perf_counter()
                record = {
                    "step": progress.step,
                    "loss": progress.train_loss,
                    "learning_rate": learning_rate(step, config),
                    "grad_norm": grad_norm,
                    f"{task.unit}_per_second": round(items / (paused - started - pause), 1),
                }
                if evaluates:
                    logger.debug("evaluate")
                    with autocast(precision, device):
                        figures = task.evaluate(task.model)
                        text = task.sample(task.model)
                    record |= broadcast_object_list([figures])[0]  # all processes judge by the first one's
                    improved = "validation_loss" in record and progress.judge(record["validation_loss"])
                    if text is not None:
                        record["sample"] = text
                records.append(record)
                bar.set_postfix(loss=f"{progress.train_loss:.3f}", refresh=False)
                if rank == 0:
                    if run:
                        run.log.append(record)
                    if on_record:
                        on_record(record)
                pause += time.perf_counter() - paused

            if run and (improved or stops or last_step or progress.step % config.save_steps == 0):
                paused = time.perf_counter()
                progress.seconds = earlier + paused - started
                if rank == 0:
                    checkpointing.save(run, task.model, optimizer, progress)
                accelerator.wait_for_everyone()
                pause += time.perf_counter() - paused
            if stops:
                break
    progress.seconds = earlier + time.perf_counter() - started
    return TrainingResult(progress, records, median(step_seconds[1:]) if step_seconds[1:] else None, bool(stop))


def dropout_seed(seed: int, step: int, micro_step: int, rank: int) -> int:
    """Return the seed of one forward pass: 64 bits in which each of the four counts."""
    return int(np.random.SeedSequence([seed, step, micro_step, rank]).generate_state(1, np.uint64)[0])


def _seed(seed: int, device: torch.device) -> None:
    """Seed the generator that dropout draws from; torch.manual_seed would format a stack trace first, 80 us a call."""
    generator = torch.default_generator if device.type == "cpu" else torch.cuda.default_generators[device.index]
    generator.manual_seed(seed)


def _sum_over_processes(values: list[float], state) -> list[float]:
    """Return each value summed over the processes; float64, so that counts stay exact."""
    if state.num_processes == 1:
        return values
    return reduce(torch.tensor(values, dtype=torch.float64, device=state.device), "sum").tolist()


def _log_samples(run: Run, task: Task, step: int, rank: int) -> None:
    """Add the sample numbers of a step, one list a micro-batch, to samples-<rank>.jsonl."""
    samples = [task.plan.indices(step, micro_step, rank).tolist() for micro_step in range(task.plan.accumulation)]
    with open(run.folder / f"samples-{rank}.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step + 1, "samples": samples}) + "\n")


def _forget_samples(run: Run, step: int, rank: int) -> None:
    """Keep of samples-<rank>.jsonl what lies before the step that training goes on from."""
    path = run.folder / f"samples-{rank}.jsonl"
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:step]), encoding="utf-8")


def _not_finite(step: int, config: TrainingConfig, run: Run | None) -> str:
    kept = f"; the checkpoint of step {run.checkpoint.step} is intact" if run and run.checkpoint else ""
    return (
        f"the loss is no longer a finite number at step {step}{kept}; "
        f"lower learning_rate (now {config.learning_rate:g}) or raise warmup_steps (now {config.warmup_steps})"
    )
