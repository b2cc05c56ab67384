"""The training loop, top to bottom.

    for each step:
        draw the step's micro-batches            a pure function of (seed, step)
        forward and backward each of them        gradients add up; processes share the work
        clip, step, zero                         the learning rate depends on the step alone
        now and then: evaluate, sample, log, save

A step depends on nothing but the weights and the optimizer's moments before it, so a run that was killed goes on
bit for bit from its last checkpoint.
"""

import logging
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from tqdm.auto import tqdm

from hf_llm.config import UserError
from hf_llm.runs.run import Run
from hf_llm.training.clock import Clock
from hf_llm.training.compilation import compiled
from hf_llm.training.config import TrainingConfig
from hf_llm.training.heap import keep_freed_memory, map_large_tensors
from hf_llm.training.launch import communicating, in_parallel, start_processes, sum_over_processes
from hf_llm.training.launcher_settings import check_launcher_settings, check_processes
from hf_llm.training.optimizer import learning_rate, make_optimizer
from hf_llm.training.optimizer_in_backward import optimizer_in_backward
from hf_llm.training.precision import autocast, recomputes, resolve
from hf_llm.training.progress import Progress
from hf_llm.training.sharding import bytes_held, full, gathered, plain, shard
from hf_llm.training.signals import stop_on_signals
from hf_llm.training.state import resume, save
from hf_llm.training.task import Task

logger = logging.getLogger(__name__)


class Stopped(UserError):
    """A signal ended the training after a step; its checkpoint is saved."""


@dataclass
class TrainingResult:
    """What came out of one call of `train`."""

    progress: Progress
    records: list[dict]  # the lines of log.jsonl that this call wrote
    step_seconds: float | None  # median step, without the first and without evaluating and saving


def train(
    task: Task,
    config: TrainingConfig,
    run: Run | None = None,
    on_record: Callable[[dict], None] | None = None,
    processes: PartialState | None = None,
) -> TrainingResult:
    """Train `task.model` for `config.max_steps` optimizer steps, or go on where `run` stopped.

    Args:
        task: The model with its batches and its evaluation.
        config: Settings.
        run: Where to log and save; None keeps everything in memory, as the labs do.
        on_record: Called with each record of the log, for printing and trackers.
        processes: As `start_processes` returned them to a recipe; whoever has not called it leaves that to `train`.

    Returns:
        The result. `task.model` holds the last weights, of a sharded one in the first process alone;
        `run.best_weights` names the file of the best ones.

    Raises:
        Stopped: When a signal stopped the run.
        UserError: When the loss is no longer finite, or a checkpoint cannot be written.
    """
    processes = processes or start_processes(config.threads)
    rank, world, device = processes.process_index, processes.num_processes, processes.device
    check_processes(config, processes)
    if device.type == "cpu" and recomputes(config):
        map_large_tensors()
    elif device.type == "cpu" and config.compile:
        keep_freed_memory(task.model)
    hollow = shard(task.model, processes) if config.shard and world > 1 else None
    precision = resolve(config, task, device, run)
    check_launcher_settings(config, precision, task.plan.accumulation, processes)
    model = in_parallel(compiled(task.model) if config.compile else task.model, processes)
    parameters = [parameter for parameter in task.model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(task.model, config)
    in_backward = optimizer_in_backward(optimizer) if config.optimizer_in_bwd else nullcontext()
    progress = resume(run, task.model, optimizer, processes) if run else Progress()
    accumulation, records, stops, clock = task.plan.accumulation, [], False, Clock(progress.seconds)
    silent = run is None or not processes.is_main_process  # a lab trains many nets, and shows a bar of its own
    bar = tqdm(initial=progress.step, total=config.max_steps, unit="step", disable=silent or None)

    # without a run there is nothing to save, and a signal does what it always does
    with stop_on_signals() if run else nullcontext(False) as stop, bar, in_backward as stepped_norm:
        while not progress.finished(config):
            logger.debug("train")
            step, rate = progress.step, learning_rate(progress.step, config)
            with clock.step():
                for group in optimizer.param_groups:
                    group["lr"] = rate
                batches = [task.batch(step, micro_step, rank) for micro_step in range(accumulation)]
                (n,) = sum_over_processes([sum(map(task.items, batches))], processes)  # items of the whole step
                loss = torch.zeros((), device=device)
                if not task.model.training:  # after an evaluation; asking each module costs a small net 3 % of its step
                    task.model.train()
                    model.train()  # what stands around it: DDP, or compiled blocks that share its layers
                for micro_step, batch in enumerate(batches):
                    _seed(dropout_seed(config.seed, step, micro_step, rank), device)
                    batch = {name: tensor.to(device) for name, tensor in batch.items()}
                    last = micro_step == accumulation - 1
                    with communicating(model, task.model, now=last):  # once a step
                        with autocast(precision, device, cache=not recomputes(config)):
                            micro_loss = task.loss(model, batch, n)
                        if config.optimizer_in_bwd and not math.isfinite(micro_loss.item()):
                            raise UserError(_not_finite(step + 1, config, run))  # the backward pass would step on it
                        (micro_loss * world).backward()  # DDP and FSDP average what is to be summed
                    loss += micro_loss.detach()
                    del micro_loss  # what is left of its graph pins the heap: 5.7 instead of 4.3 GB for GPT-2 small
                if config.optimizer_in_bwd:  # no gradient is left: nothing below is clipped or stepped
                    grad_norm = stepped_norm()
                else:
                    norm = torch.nn.utils.clip_grad_norm_(parameters, config.max_grad_norm or math.inf)
                    grad_norm = full(norm).item()
                progress.train_loss, stops = sum_over_processes([loss.item(), float(bool(stop))], processes)
                if not math.isfinite(progress.train_loss + grad_norm):
                    raise UserError(_not_finite(step + 1, config, run))
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            progress.step += 1
            clock.count(n)
            bar.update()

            last_step = progress.step == config.max_steps
            evaluates, improved = last_step or progress.step % config.eval_steps == 0, False
            if evaluates or progress.step % config.logging_steps == 0:
                record = {
                    "step": progress.step,
                    "loss": progress.train_loss,
                    "learning_rate": rate,
                    "grad_norm": grad_norm,
                    f"{task.unit}_per_second": round(clock.items_per_second, 1),
                }
                with clock.pause():
                    if evaluates:
                        logger.debug("evaluate")
                        with autocast(precision, device), gathered(task.model):
                            figures, text = task.evaluate(task.model), task.sample(task.model)
                        record |= broadcast_object_list([figures])[0]  # all processes judge by the first one's
                        improved = "validation_loss" in record and progress.judge(record["validation_loss"])
                        record |= {} if text is None else {"sample": text}
                    records.append(record)
                    bar.set_postfix(loss=f"{progress.train_loss:.3f}", refresh=False)
                    if run and processes.is_main_process:
                        run.log.append(record)
                    if on_record and processes.is_main_process:
                        on_record(record)

            if run and (improved or stops or last_step or progress.step % config.save_steps == 0):
                progress.seconds = clock.seconds
                with clock.pause():
                    save(run, task.model, optimizer, progress)
                    processes.wait_for_everyone()
            if stops:
                break
    if stops or stop:
        raise Stopped(_stopped(progress.step, config, run))
    progress.seconds = clock.seconds
    if hollow is not None:
        held = bytes_held(task.model, optimizer)
        if run:
            run.manifest["held_bytes"] = held
        task.model = plain(task.model, hollow, processes)
    return TrainingResult(progress, records, clock.step_seconds)


def dropout_seed(seed: int, step: int, micro_step: int, rank: int) -> int:
    """Return the seed of one forward pass: 64 bits in which each of the four counts."""
    return int(np.random.SeedSequence([seed, step, micro_step, rank]).generate_state(1, np.uint64)[0])


def _seed(seed: int, device: torch.device) -> None:
    """Seed the generator that dropout draws from; torch.manual_seed would format a stack trace first, 80 us a call."""
    generator = torch.default_generator if device.type == "cpu" else torch.cuda.default_generators[device.index]
    generator.manual_seed(seed)


def _not_finite(step: int, config: TrainingConfig, run: Run | None) -> str:
    kept = f"; the checkpoint of step {run.checkpoint.step} is intact" if run and run.checkpoint else ""
    return (
        f"the loss is no longer a finite number at step {step}{kept}; "
        f"lower learning_rate (now {config.learning_rate:g}) or raise warmup_steps (now {config.warmup_steps:g})"
    )


def _stopped(step: int, config: TrainingConfig, run: Run) -> str:
    return (
        f"stopped at step {step} of {config.max_steps}; "
        f"the checkpoint is in {run.checkpoints}; the same command goes on from there"
    )
