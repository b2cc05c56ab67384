"""Trainings that two processes do together, for test_sharding.py: python sharded_job.py CORPUS FOLDER [NAME ...].

The first process writes FOLDER/<name>.json for each; the second one FOLDER/asked.json, where it looked in the corpus.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch.distributed.fsdp import FSDPModule

from hf_llm.data.images import hold_out, read_images
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.runs.manifest import new_manifest
from hf_llm.runs.run import hold_run
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.training.config import PretrainConfig, TrainingConfig
from hf_llm.training.image_classification import ImageClassification
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import Stopped, train

STOP = 10  # the step after which some trainings are stopped


def language_settings(corpus: str, **changes) -> PretrainConfig:
    """Three blocks whose sizes do not divide by two, two micro-batches in each of two processes, clipped each step."""
    settings = {
        "corpus": corpus, "model": "nano", "n_layer": 3, "n_head": 3, "n_embd": 33, "n_positions": 16, "max_steps": 20,
        "total_batch_size": 8, "per_device_train_batch_size": 2, "warmup_steps": 0, "dropout": 0.0,
        "max_grad_norm": 0.3, "precision": "fp32", "threads": 1, "eval_steps": 10, "eval_tokens": 100,
        "logging_steps": 1, "sample_tokens": 4,
    }  # fmt: skip
    return PretrainConfig(**settings | changes)


def language_training(config: PretrainConfig, processes, folder: Path | None = None, stop: bool = False) -> dict:
    """Train and return what came out: losses, the manifest, the model that is handed back."""
    task = make_task(config, *read_inputs(config), processes.num_processes)
    batch = task.batch

    def stopping_batch(step, micro_step, rank):
        last = rank == processes.num_processes - 1  # one process alone is told, once
        if stop and (step + 1, micro_step) == (STOP, 0) and last:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch(step, micro_step, rank)

    task.batch = stopping_batch
    if folder is None:
        return outcome(task, train(task, config, processes=processes))
    manifest = new_manifest("test", vars(config), processes.num_processes)
    with hold_run(folder, manifest, keep=1, restart=False, processes=processes) as run:
        try:
            return outcome(task, train(task, config, run, processes=processes)) | {"manifest": run.manifest}
        except Stopped as stopped:
            return {"stopped": str(stopped)}


def image_training(config: TrainingConfig, processes) -> dict:
    """Train an MLP, whose layers are of different shapes, and return what came out."""
    images = read_images("digits")
    model = new_image_classifier(
        "mlp", 0, hidden_sizes=[33, 17], activation="relu", dropout=0.0, input_dropout=0.0, batch_norm=False
    )
    sizes = {"total_batch_size": config.total_batch_size, "per_device_batch_size": config.per_device_train_batch_size}
    task = ImageClassification(
        model, *hold_out(images.train, 0.1), **sizes, world_size=processes.num_processes, seed=config.seed
    )
    return outcome(task, train(task, config, processes=processes))


def outcome(task, result) -> dict:
    """Return figures of a training as JSON takes them."""
    model = task.model
    plain = not isinstance(model, FSDPModule) and not any(weight.is_meta for weight in model.parameters())
    head = getattr(model, "lm_head", None)
    return {
        "losses": [record["loss"] for record in result.records],
        "grad_norms": [record["grad_norm"] for record in result.records],
        "validation": [record["validation_loss"] for record in result.records if "validation_loss" in record],
        "samples": [record["sample"] for record in result.records if "sample" in record],
        "class": type(model).__name__,
        "plain": plain,
        "tied": head is None or head.weight is model.transformer.wte.weight,
        "sum": float(sum(weight.detach().double().abs().sum() for weight in model.parameters())) if plain else None,
        "parameters": sum(weight.numel() for weight in model.parameters()),
    }


def main(corpus: str, folder: Path, names: list[str]) -> None:
    processes = start_processes(1)
    asked, window = [], TokenArray.window

    def watched(tokens, start, length):
        if Path(tokens.shards[0].filename).name.startswith("train"):  # each process evaluates by itself
            asked.append((type(tokens.shards[0]).__name__, start, length))
        return window(tokens, start, length)

    language = language_settings(corpus, shard=True)
    few = replace(language, max_steps=3)
    images = TrainingConfig(
        max_steps=5, total_batch_size=8, per_device_train_batch_size=2, optimizer="sgd", learning_rate=0.1,
        max_weight_norm=0.5, precision="fp32", threads=1, logging_steps=1, eval_steps=5, warmup_steps=0, shard=True,
    )  # fmt: skip
    trainings = {
        "two": lambda: language_training(language, processes, folder / "two"),
        "stopped": lambda: language_training(language, processes, folder / "from-two", stop=True),
        "from-one": lambda: language_training(language, processes, folder / "from-one"),
        "ddp": lambda: language_training(replace(language, shard=False), processes, folder / "from-ddp", stop=True),
        "from-ddp": lambda: language_training(language, processes, folder / "from-ddp"),
        "recomputed": lambda: language_training(replace(few, gradient_checkpointing=True), processes),
        "bf16": lambda: language_training(replace(few, precision="bf16"), processes),
        "images": lambda: image_training(images, processes),
        "compiled": lambda: language_training(replace(few, compile=True), processes),
    }
    for name in names:
        TokenArray.window = watched if name == "two" else window
        result = trainings[name]()
        if processes.is_main_process:
            (folder / f"{name}.json").write_text(json.dumps(result))
    if not processes.is_main_process:
        (folder / "asked.json").write_text(json.dumps(asked))
    processes.destroy_process_group()


if __name__ == "__main__":
    torch.manual_seed(0)
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
