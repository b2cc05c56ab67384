"""What the parts of `architectures` share: the images, one short training, and the race of several nets.

Each net looks for its learning rate in the same grid, with a seed of its own, on images held out of the training set.
Then it trains with that rate and every seed, and meets the test set when the training is over. The seed gives the nets
of a race the same images in the same order, so their differences are paired.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product

import pandas as pd
import torch
from torch import nn

from hf_llm.config import UserError
from hf_llm.data.images import LabelledImages, hold_out, read_images
from hf_llm.experiments.frame import Finding, Study, above, by_seed
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.augmentation import Augmentation
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

# ResNet and EfficientNet come in steps of a whole stage; the width of the other two is what can be fitted to them.
# LeNet keeps its shape, with wider layers than LeNet-5's 6, 16, 120 and 84.
FAMILIES = {
    "mlp": {"hidden_sizes": [128]},
    "lenet": {"channels": [8, 24], "hidden_sizes": [140, 84]},
    "resnet": {},
    "efficientnet": {},
}
CONVOLUTIONAL = [name for name in FAMILIES if name != "mlp"]
HELD_OUT = 1 / 6  # of the training images: the customary last 10,000 of MNIST's 60,000
PICKING_SEED = 1000  # no seed of a race
AT_ONCE = 500  # images: of more, EfficientNet's maps leave the processor's cache, and take nearly twice the time
NetMaker = Callable[[int], nn.Module]  # from a seed
Fit = Callable[[str, nn.Module, float, int], dict]  # (net, model, rate, seed): trains; returns what to record


@dataclass(frozen=True)
class Images:
    """The images, and how nets train on them.

    Args:
        name: Of the data.
        sha256: Of the data.
        train: To train on.
        picking: To pick a learning rate by.
        test: To measure with at the end.
        batch: Images a step.
        rates: Learning rates to pick from.
    """

    name: str
    sha256: str
    train: LabelledImages
    picking: LabelledImages
    test: LabelledImages
    batch: int
    rates: tuple[float, ...]

    @classmethod
    def of(cls, study: Study) -> "Images":
        data = read_images(study.data)
        images, held_out = hold_out(data.train, HELD_OUT)
        picking = held_out.select(slice(study.pick(100, 2000)))
        rates = study.pick((1e-2,), (3e-3, 1e-2, 3e-2))  # tried with one seed, 1e-3 and 1e-1 suit none of the nets
        return cls(data.name, data.sha256, images, picking, data.test, study.pick(32, 64), rates)

    def task(self, model: nn.Module, seed: int, max_shift: float = 0.0) -> ImageClassification:
        """Return the task; training images are moved by up to `max_shift` pixels."""
        return ImageClassification(
            model, self.train, self.picking.select(slice(0)), total_batch_size=self.batch,
            per_device_batch_size=self.batch, seed=seed, augmentation=Augmentation(max_shift) if max_shift else None,
        )  # fmt: skip

    def config(self, steps: int, rate: float, seed: int) -> TrainingConfig:
        """Return the settings: Adam, a warm-up, then a cosine down to zero, gradients clipped at norm 1."""
        return TrainingConfig(
            seed=seed, max_steps=steps, total_batch_size=self.batch, per_device_train_batch_size=self.batch,
            optimizer="adam", learning_rate=rate, min_learning_rate_ratio=0.0, warmup_steps=steps // 10,
            weight_decay=0.0, eval_steps=steps, logging_steps=steps, precision="fp32", threads=1,
        )  # fmt: skip

    def fit(self, model: nn.Module, steps: int, rate: float, seed: int, max_shift: float = 0.0) -> dict:
        """Train for `steps` steps; nothing else is to be recorded."""
        train(self.task(model, seed, max_shift), self.config(steps, rate, seed))
        return {}

    def measure(self, model: nn.Module) -> dict:
        """Return the accuracy on the test set."""
        return {"accuracy": accuracy_of(model, self.test)}


def family(name: str, seed: int) -> nn.Module:
    """Return an untrained mlp, lenet, resnet or efficientnet of about 102,000 parameters.

    >>> [parameters_of(family(name, seed=0)) for name in FAMILIES]
    [101770, 101866, 101626, 102254]
    """
    return channels_last(new_image_classifier(name, seed, **FAMILIES[name]))


def channels_last(model: nn.Module) -> nn.Module:
    """Return the model with its convolutions laid out channel by channel, in which a CPU runs them twice as fast."""
    return model.to(memory_format=torch.channels_last)


def race(
    study: Study,
    images: Images,
    nets: dict[str, NetMaker],
    fit: Fit,
    measure: Callable[[nn.Module], dict] | None = None,
    rate_of: dict[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Search a learning rate for each net, train it with every seed, and measure it.

    Args:
        study: Seeds.
        images: The images.
        nets: Makers by name.
        fit: Trains a net.
        measure: What to record of a trained net; its accuracy on the test set where it is None.
        rate_of: {net: whose rate it takes instead of searching its own}.

    Returns:
        One row a net and seed: net, seed, rate, parameters, and what `fit` and `measure` return; and one row a trial of
        the search: net, rate, accuracy, loss. A training that diverged has accuracy 0 and loss infinity.
    """
    rate_of, trials, runs = rate_of or {}, [], []
    # seeds outside, nets inside: what slows the machine for a while slows all nets alike
    for seed, net in study.track(product([PICKING_SEED, *study.seeds], nets)):
        if seed == PICKING_SEED:
            rates = [] if net in rate_of else images.rates
            trials += [{"net": net, **try_rate(images, net, nets[net], fit, rate)} for rate in rates]
            continue
        model, rate = nets[net](seed), best_rate(trials, rate_of.get(net, net))
        fitted = fit(net, model, rate, seed)
        runs.append({
            "net": net, "seed": seed, "rate": rate, "parameters": parameters_of(model), **fitted,
            **(measure or images.measure)(model),
        })  # fmt: skip
    return pd.DataFrame(runs), pd.DataFrame(trials)


def try_rate(images: Images, net: str, make: NetMaker, fit: Fit, rate: float) -> dict:
    """Return accuracy and loss on the images for picking; of a training that diverged, nothing and infinity."""
    model = make(PICKING_SEED)
    try:
        fit(net, model, rate, PICKING_SEED)
    except UserError:  # the loop refuses to go on with a loss that is not finite
        return {"rate": rate, "accuracy": 0.0, "loss": math.inf}
    scores = classification_scores(model, images.picking)
    return {"rate": rate, "accuracy": scores["accuracy"], "loss": scores["loss"]}


def best_rate(trials: Iterable[dict], net: str) -> float:
    """Return the rate with which `net` has the best accuracy; of equal ones that with less loss."""
    return max((trial for trial in trials if trial["net"] == net), key=lambda t: (t["accuracy"], -t["loss"]))["rate"]


def accuracy_of(model: nn.Module, images: LabelledImages) -> float:
    """Return the share of the images that the model gets right."""
    parts = [images.select(slice(start, start + AT_ONCE)) for start in range(0, len(images), AT_ONCE)]
    return sum(classification_scores(model, part)["correct"] for part in parts) / len(images)


def parameters_of(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def more_accurate(key: str, table: pd.DataFrame, one: str, other: str, timed: bool = False) -> Finding:
    """Return the finding that `one` is more accurate than `other`, in percentage points, paired by the seed."""
    return above(key, 100 * (by_seed(table, "accuracy", net=one) - by_seed(table, "accuracy", net=other)), timed=timed)
