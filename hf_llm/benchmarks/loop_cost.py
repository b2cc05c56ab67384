"""What `train(run=None)` costs over a minimal PyTorch loop of the same arithmetic, on the default MLP.

Both clip, follow the same learning-rate curve, seed each step's dropout and take the same fused optimizer; pairs
alternate in their order, and each pair gives one ratio, so that a drifting machine hits both sides alike. The numbers
that come out of both are compared, too: a faster loop that trains something else would be no comparison.
"""

import dataclasses
from pathlib import Path
from statistics import median

import numpy as np
import torch

from hf_llm.benchmarks.record import in_turn, recipe, seconds, write_result
from hf_llm.recipes.classifier import make_task, read_parts
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import dropout_seed, train
from hf_llm.training.optimizer import learning_rate, make_optimizer

STEPS, PAIRS = 300, 15


def run(output_dir: Path) -> None:
    """Time the pairs and write result.json; two minutes on two cores."""
    changes = {"max_steps": STEPS, "eval_steps": 10 * STEPS, "train_figures": 0, "dropout": 0.1}
    config = recipe(ClassifierConfig, "mnist/mlp", **changes)
    images = read_parts(config)
    start_processes(config.threads)

    def timed(loop) -> tuple[float, torch.Tensor]:
        task = make_task(config, images)
        task.evaluate = lambda model: {}
        taken = seconds(lambda: loop(task, config))
        return taken, torch.cat([parameter.detach().flatten() for parameter in task.model.parameters()])

    contestants = {"train": lambda: timed(train), "bare": lambda: timed(_bare)}
    in_turn(contestants, 1)  # warm up
    outcomes = in_turn(contestants, PAIRS)
    pairs = list(zip(*outcomes.values()))
    ratios = [ours / bare for (ours, _), (bare, _) in pairs]
    draws = np.random.default_rng(0).choice(ratios, (10_000, PAIRS))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    write_result(
        output_dir, config=dataclasses.asdict(config), threads=torch.get_num_threads(), steps=STEPS, pairs=PAIRS,
        same_weights_to_the_bit=all(torch.equal(ours, bare) for (_, ours), (_, bare) in pairs),
        timings={
            "ratio": {"median": round(median(ratios), 4), "interval_95": [round(low, 4), round(high, 4)]},
            "all_ratios": [round(ratio, 4) for ratio in ratios],
            "milliseconds_a_step": {name: round(1e3 * median(taken for taken, _ in found) / STEPS, 3)
                                    for name, found in outcomes.items()},
        },
    )  # fmt: skip


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
