"""Settings of training an image classifier.

This module imports neither torch nor transformers, so that `--help` answers at once.
"""

from dataclasses import dataclass
from typing import Literal

from hf_llm.config import require, setting
from hf_llm.training.config import TrainingConfig

MODELS = ("mlp", "lenet", "resnet", "efficientnet")
ACTIVATIONS = ("relu", "sigmoid", "tanh", "gelu")


@dataclass
class ClassifierConfig(TrainingConfig):
    """An image classifier on MNIST, or on what has its shape."""

    output_dir: str = setting("runs/mnist/mlp", "run folder: checkpoints, log, figures, the published model")
    data: str = setting(
        "mnist",
        "mnist, digits (embedded, 8x8 pixels enlarged), ylecun/mnist (the Hub), or a folder of images in MNIST's forms",
    )
    validation_fraction: float = setting(
        1 / 6, "fraction of the training images, the last ones, that is kept for validation; 0 trains on all of them"
    )
    train_images: int | None = setting(None, "train on so many images only, drawn by the seed; default all")
    test: bool = setting(
        True, "measure the test set once, when all is done; false while settings are still being chosen"
    )
    model: Literal[MODELS] = setting("mlp", "mlp and lenet are ours, resnet and efficientnet are transformers' own")
    hidden_sizes: list[int] | None = setting(None, "units of each hidden layer of the mlp, instead of 512 512")
    activation: Literal[ACTIVATIONS] = setting("relu", "of mlp and lenet")
    dropout: float = setting(0.0, "fraction of hidden units that a training step silences, of mlp and lenet")
    input_dropout: float = setting(0.0, "fraction of pixels that a training step silences, of the mlp")
    batch_norm: bool = setting(False, "normalise each hidden layer over the batch, before the activation, of the mlp")
    max_shift: float = setting(0.0, "training images move by up to so many pixels")
    max_turn: float = setting(0.0, "training images turn by up to so many degrees")
    elastic: float = setting(0.0, "training images are bent by a smooth random field of so many pixels (Simard 2003)")
    train_figures: int = setting(
        10_000,
        "training images that loss and accuracy are measured on at each evaluation, as on validation; 0 for none",
    )
    max_steps: int = setting(2000, "optimizer steps; 391 of 128 images are one epoch of 50,000")
    warmup_steps: float = setting(0.025, "linear warm-up in steps, below 1 as a share of max_steps")
    total_batch_size: int = setting(128, "images per optimizer step, over all processes and micro-batches")
    per_device_train_batch_size: int = setting(
        128, "images at once in one process; where the total is larger, gradients are accumulated"
    )
    weight_decay: float = setting(0.0, "decoupled decay with adamw, in the gradient with the others; of matrices only")
    eval_steps: int = setting(400, "steps between evaluations; the best one is what gets published")
    logging_steps: int = setting(50, "steps between lines of log.jsonl")
    save_steps: int = setting(1000, "steps between checkpoints; a better evaluation saves one too")
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "fp32", "bf16 = autocast, weights stay fp32; auto times both and takes bf16 only where a step is faster"
    )

    def __post_init__(self):
        super().__post_init__()
        for name in ("dropout", "input_dropout", "validation_fraction"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{name} must be at least 0 and below 1, not {value}")
        for name in ("max_shift", "max_turn", "elastic", "train_figures"):
            value = getattr(self, name)
            require(0 <= value < float("inf"), f"{name} must be a finite number, 0 or more, not {value}")
        require(
            self.train_images is None or self.train_images >= 1,
            f"train_images must be at least 1, not {self.train_images}; leave it out to take all",
        )
        for size in self.hidden_sizes or []:
            require(size >= 1, f"hidden_sizes must be at least 1 unit per layer, not {size}")
        require(
            self.validation_fraction > 0 or self.early_stopping_patience == 0,
            "early stopping needs validation images; set validation_fraction above 0",
        )
