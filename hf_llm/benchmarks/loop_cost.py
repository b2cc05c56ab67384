"""What `train(run=None)` costs over a minimal PyTorch loop of the same arithmetic, on the default MLP.

Both clip, follow the same learning-rate curve, seed each step's dropout and take the same fused optimizer; pairs
alternate in their order, and each pair gives one ratio, so that a drifting machine hits both sides alike. The numbers
that come out of both are compared, too: a faster loop that trains something else would be no comparison.
"""

import dataclasses
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

from hf_llm.benchmarks.mnist_speed import RECIPE
from hf_llm.benchmarks.record import write_result
from hf_llm.config import load_yaml
from hf_llm.recipes.classifier import make_task, read_parts
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import dropout_seed, train
from hf_llm.training.optimizer import learning_rate, make_optimizer

STEPS, PAIRS = 300, 15


def run(output_dir: Path) -> None:
    """Time the pairs and write result.json; two minutes on two cores."""
    config = dataclasses.replace(
        ClassifierConfig(**load_yaml(ClassifierConfig, RECIPE)),
        max_steps=STEPS, eval_steps=10 * STEPS, train_figures=0, dropout=0.1,
    )  # fmt: skip
    images = read_parts(config)
    start_processes(config.threads)

    def timed(loop) -> tuple[float, torch.Tensor]:
        task = make_task(config, images)
        task.evaluate = lambda model: {}
        start = time.perf_counter()
        loop(task, config)
        seconds = time.perf_counter() - start
        return seconds, torch.cat([parameter.detach().flatten() for parameter in task.model.parameters()])

    timed(train), timed(_bare)  # warm up
    ratios, seconds, identical = [], {"train": [], "bare": []}, True
    for pair in range(PAIRS):
        order = [("train", train), ("bare", _bare)]
        outcome = {name: timed(loop) for name, loop in (order if pair % 2 == 0 else order[::-1])}
        identical &= torch.equal(outcome["train"][1], outcome["bare"][1])
        for name, (taken, _) in outcome.items():
            seconds[name].append(taken)
        ratios.append(outcome["train"][0] / outcome["bare"][0])
    draws = np.random.default_rng(0).choice(ratios, (10_000, PAIRS))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    write_result(
        output_dir,
        {
            "config": dataclasses.asdict(config),
            "threads": torch.get_num_threads(),
            "steps": STEPS,
            "pairs": PAIRS,
            "same_weights_to_the_bit": identical,
            "timings": {
                "ratio": {"median": round(median(ratios), 4), "interval_95": [round(low, 4), round(high, 4)]},
                "all_ratios": [round(ratio, 4) for ratio in ratios],
                "milliseconds_a_step": {name: round(1e3 * median(s) / STEPS, 3) for name, s in seconds.items()},
            },
        },
    )


def _bare(task, config: ClassifierConfig) -> None:
    optimizer, parameters = make_optimizer(task.model, config), list(task.model.parameters())
    task.model.train()
    for step in range(config.max_steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        torch.default_generator.manual_seed(dropout_seed(config.seed, step, 0, 0))  # as train() does
        batch = task.batch(step, 0, 0)
        task.loss(task.model, batch, task.items(batch)).backward()
        torch.nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
