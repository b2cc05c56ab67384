"""The default MLP on MNIST against the same net on a DataLoader, with 0 and with 2 workers.

What `train()` takes from its first step to its last evaluation, and how accurate it is then on the test set; beside it
one epoch of each contestant on the same net, optimizer and images. They take turns, forwards and backwards, and a ratio
is taken within a round.
"""

import dataclasses
import time
from functools import partial
from itertools import product
from operator import truediv
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from hf_llm.benchmarks.record import in_turn, recipe, seconds, write_result
from hf_llm.recipes.classifier import Images, make_task, read_parts
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.training.image_classification import classification_scores, pixel_values
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.optimizer import make_optimizer

ROUNDS = 8
CUSTOMARY_BATCH = 64  # of most tutorials


def run(output_dir: Path) -> None:
    """Train the recipe once, then time one epoch of each contestant in turn; four minutes on two cores."""
    config = recipe(ClassifierConfig, "mnist/mlp")
    images = read_parts(config)
    start_processes(config.threads)
    task = make_task(config, images)
    started = time.perf_counter()
    result = train(task, config)
    train_seconds = time.perf_counter() - started

    batches = (config.total_batch_size, CUSTOMARY_BATCH)
    contestants = {("ours", batch): partial(_ours, config, images, batch) for batch in batches}
    for workers, batch in product((0, 2), batches):
        contestants[f"DataLoader, {workers} workers", batch] = partial(_data_loader, config, images, batch, workers)
    times = in_turn(contestants, ROUNDS)
    epochs = [
        {
            "contestant": name, "batch": batch, "seconds_an_epoch": round(median(values), 2),
            "all": [round(value, 2) for value in values],
            "times_ours": round(median(map(truediv, values, times["ours", batch])), 2),
        }
        for (name, batch), values in times.items()
    ]  # fmt: skip
    write_result(
        output_dir, config=dataclasses.asdict(config), threads=torch.get_num_threads(),
        test=classification_scores(task.model, images.test),
        validation_accuracy=result.records[-1]["validation_accuracy"],
        timings={"train_seconds": round(train_seconds, 2), "epochs": epochs},
    )  # fmt: skip


def _ours(config: ClassifierConfig, images: Images, batch: int) -> float:
    steps = len(images.train) // batch
    config = dataclasses.replace(
        config, total_batch_size=batch, per_device_train_batch_size=batch, max_steps=steps, eval_steps=10 * steps
    )
    task = make_task(config, images)
    task.evaluate = lambda model: {}  # the other contestants do not evaluate either
    return seconds(lambda: train(task, config))


def _data_loader(config: ClassifierConfig, images: Images, batch: int, workers: int) -> float:
    """One epoch as a tutorial writes it; the pixels are scaled beforehand, so that only the loader is compared."""
    pixels = pixel_values(torch.from_numpy(images.train.images))
    data = TensorDataset(pixels, torch.from_numpy(images.train.labels))
    loader = DataLoader(data, batch_size=batch, shuffle=True, num_workers=workers, drop_last=True)
    model = make_task(config, images).model
    optimizer = make_optimizer(model, config)
    start = time.perf_counter()
    for inputs, labels in loader:
        loss = F.cross_entropy(model(pixel_values=inputs).logits, labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - start
