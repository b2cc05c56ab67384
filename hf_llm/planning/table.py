"""The plan as a table for people: every number with what it is made of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hf_llm.models.gpt2 import parameter_counts
from hf_llm.planning.memory import PARTS, moments, peak
from hf_llm.planning.speed import flops_per_token
from hf_llm.training.precision import bf16_is_slow

if TYPE_CHECKING:
    from hf_llm.planning.plan import Plan


def plan_table(plan: Plan) -> str:
    """Return the plan, one line per fact."""
    rows = [*_model_rows(plan), *_batch_rows(plan), *_memory_rows(plan), *_time_rows(plan)]
    return "\n".join(["plan", *(f"  {name:<12}  {text}".rstrip() for name, text in rows)])


def _model_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    model, counts = plan.model, parameter_counts(plan.model)
    total = counts.pop("total")
    parts = ", ".join(f"{part.replace('_', ' ')} {count:,}" for part, count in counts.items() if count)
    yield (
        "model",
        f"GPT-2 {plan.config.model}: {model.n_layer} blocks, {model.n_head} heads, {model.n_embd} wide, "
        f"context {model.n_positions}, vocabulary {model.vocab_size:,}",
    )
    yield "parameters", f"{total:,}: {parts}"
    yield "compute", f"{flops_per_token(model) / 1e6:,.1f} MFLOP per token, forward and backward"


def _batch_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    config, batches, steps = plan.config, plan.batches, plan.config.max_steps
    accumulated = ", whose gradients add up," if batches.accumulation > 1 else ""
    yield (
        "batch",
        f"{batches.micro_batch_size} samples at once x {batches.accumulation} micro-batches{accumulated} "
        f"x {plan.machine.processes} processes = {config.total_batch_size} per step, {plan.tokens_per_step:,} tokens",
    )
    tokens = steps * plan.tokens_per_step
    epochs = "the corpus is not at hand to be counted"
    if plan.train_tokens:
        epochs = f"{tokens / plan.train_tokens:,.2f} times the {plan.train_tokens:,} of the corpus"
        epochs += ", in all its encodings" if config.bpe_dropout else ""
    yield "length", f"{steps:,} steps, {tokens:,} tokens: {epochs}"
    warmup = f"up to {config.learning_rate:g} in {config.warmup} steps ({config.warmup / steps:.1%}), then"
    warmup = warmup if config.warmup else f"{config.learning_rate:g} at first,"
    yield "rate", f"{warmup} a cosine down to {config.learning_rate * config.min_learning_rate_ratio:g}"
    if config.optimizer_in_bwd:
        yield "update", f"{config.optimizer} inside the backward pass, weight by weight: no clipping of all gradients"


def _memory_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    work = max(plan.workloads, key=peak)
    by_moment = moments(work)
    busiest = max(by_moment, key=lambda name: sum(by_moment[name].values()))
    parts = by_moment[busiest]
    held = plan.peak_memory_bytes - sum(parts.values())
    each = "" if plan.machine.local_processes == 1 else f" in each of {plan.machine.local_processes} processes"
    place = "on the GPU" if plan.machine.cuda else "above the imports"
    yield (
        "memory",
        f"{size(plan.peak_memory_bytes)} {place}{each}; {size(plan.machine.free_memory)} are free; "
        f"highest at: {busiest}",
    )
    yield "", ", ".join(f"{part} {size(parts[part])}" for part in PARTS if parts[part])
    yield "", f"libraries and holes of the allocator {size(held)}"
    yield "generation", f"{size(plan.generation_cache_bytes)} of keys and values for a full context"
    free = f"{size(plan.machine.free_disk)} are free" if plan.machine.free_disk < math.inf else "its disk does not say"
    yield "disk", f"{size(plan.disk_bytes)} at most; {free}"


def _time_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.expected is None:
        yield "speed", f"no prediction: this machine's speed could not be measured ({plan.probed})"
        return
    (work, machine), speed = plan.expected, plan.tokens_per_step / plan.step_seconds
    yield (
        "speed",
        f"{seconds(plan.step_seconds)} per step (rough: x 1.5 either way), {speed:,.0f} tokens per second, "
        f"{plan.utilisation(speed):.0%} of the {machine.flops / 1e9:,.0f} GFLOP/s of {work.precision} matrix products",
    )
    if work.precision == "bf16" and (slow := bf16_is_slow("cuda" if plan.machine.cuda else "cpu")):
        yield "", slow
    end = f"{seconds(plan.step_seconds * plan.config.max_steps)} of training"
    if plan.evaluation_seconds is not None:
        end += f", {seconds(plan.evaluation_seconds)} of evaluating"
    yield "to the end", end
    if plan.config.compile:
        yield "", "planned without torch.compile, which takes 10 to 30 s at first and then less of both"


def size(count: float) -> str:
    """Return bytes for people.

    >>> size(13_700_000_000), size(45_000_000)
    ('13.70 GB', '45 MB')
    """
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{math.ceil(count / 1e6)} MB"


def seconds(duration: float) -> str:
    """Return a duration for people.

    >>> seconds(0.05), seconds(90), seconds(100_000)
    ('50 ms', '90.0 s', '27.8 h')
    """
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if duration >= 2 * length:
            return f"{duration / length:,.{0 if duration >= 100 * length else 1}f} {unit}"
    return f"{duration * 1000:.0f} ms"
