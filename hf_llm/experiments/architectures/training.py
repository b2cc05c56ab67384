"""What the parts of `architectures` share: the images, one short training, and the race of several nets.

Each net looks for its learning rate in the same grid, with a seed of its own, on images held out of the training set.
Then it trains with that rate and every seed, and meets the test set when the training is over. The seed gives the nets
of a race the same images in the same order, so their differences are paired.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import pandas as pd
import torch
from torch import nn

from hf_llm.data.images import LabelledImages
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.shared.image_runs import ImageParts, best_rate, image_task, try_rate
from hf_llm.experiments.shared.short_run import SEARCH_SEED, short_run
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.augmentation import Augmentation
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

# ResNet and EfficientNet come in steps of a whole stage; the width of the other two is what can be fitted to them.
# LeNet keeps its shape, with wider layers than LeNet-5's 6, 16, 120 and 84.
FAMILIES = {
    "mlp": {"hidden_sizes": [128]}, "lenet": {"channels": [8, 24], "hidden_sizes": [140, 84]},
    "resnet": {}, "efficientnet": {},
}  # fmt: skip
CONVOLUTIONAL = [name for name in FAMILIES if name != "mlp"]
adam_run = partial(short_run, optimizer="adam")
AT_ONCE = 500  # images: of more, EfficientNet's maps leave the processor's cache, and take nearly twice the time
NetMaker = Callable[[int], nn.Module]  # from a seed
Fit = Callable[[str, nn.Module, float, int], dict]  # (net, model, rate, seed): trains; returns what to record


@dataclass(frozen=True)
class Images(ImageParts):
    """The images, how many of them a net sees in a step, and the learning rates that it picks from by validation."""

    batch: int
    rates: tuple[float, ...]

    @classmethod
    def of(cls, study: Study) -> "Images":
        rates = study.pick((1e-2,), (3e-3, 1e-2, 3e-2))  # tried with one seed, 1e-3 and 1e-1 suit none of the nets
        return cls(**vars(ImageParts.read(study.data, study.pick(100, 2000))), batch=study.pick(32, 64), rates=rates)

    def task(self, model: nn.Module, seed: int, max_shift: float = 0.0) -> ImageClassification:
        """Return the task; training images are moved by up to `max_shift` pixels."""
        augmentation = Augmentation(max_shift) if max_shift else None
        return image_task(model, self.train, self.batch, seed, augmentation=augmentation)

    def fit(self, model: nn.Module, steps: int, rate: float, seed: int, max_shift: float = 0.0) -> dict:
        """Train for `steps` steps, which leaves nothing to record."""
        train(self.task(model, seed, max_shift), adam_run(steps, rate, seed))
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
    study: Study, images: Images, name: str, nets: dict[str, NetMaker], fit: Fit,
    measure: Callable[[nn.Module], dict] | None = None, rate_of: dict[str, str] | None = None,
) -> Tables:  # fmt: skip
    """Search a learning rate for each net, train it with every seed, and measure it.

    `measure` says what to record of a trained net, its accuracy on the test set where it is None; `rate_of`, whose rate
    a net takes instead of searching its own.

    Returns:
        The table `name`, one row a net and seed: net, seed, rate, parameters, and what `fit` and `measure` return; and
        `name`_rates, one row a trial of the search: net, rate, accuracy, loss.
    """
    rate_of, trials, runs = rate_of or {}, [], []
    # seeds outside, nets inside: what slows the machine for a while slows all nets alike
    for seed, net in study.track(product([SEARCH_SEED, *study.seeds], nets)):
        if seed == SEARCH_SEED:
            for rate in [] if net in rate_of else images.rates:
                model = nets[net](seed)
                trial = try_rate(rate, model, partial(fit, net, model, rate, seed), images.validation)
                trials.append({"net": net, **trial})
            continue
        model = nets[net](seed)
        rate = best_rate([trial for trial in trials if trial["net"] == rate_of.get(net, net)])
        fitted = fit(net, model, rate, seed)
        runs.append({
            "net": net, "seed": seed, "rate": rate, "parameters": parameters_of(model), **fitted,
            **(measure or images.measure)(model),
        })  # fmt: skip
    return {name: pd.DataFrame(runs), f"{name}_rates": pd.DataFrame(trials)}


def accuracy_of(model: nn.Module, images: LabelledImages) -> float:
    """Return the share of the images that the model gets right."""
    parts = [images.select(slice(start, start + AT_ONCE)) for start in range(0, len(images), AT_ONCE)]
    return sum(classification_scores(model, part)["correct"] for part in parts) / len(images)


def parameters_of(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def more_accurate(key: str, table: pd.DataFrame, one: str, other: str, timed: bool = False) -> Finding:
    """Return the finding that `one` is more accurate than `other`, in percentage points, paired by the seed."""
    return above(key, 100 * (by_seed(table, "accuracy", net=one) - by_seed(table, "accuracy", net=other)), timed=timed)


def draw_accuracy(tables: Tables, say: Say, table: str, **size) -> Figure:
    """Draw the accuracy of each net of one table; `size` is that of the figure."""
    figure, ((axis,),) = new_figure(**size)
    dots(axis, tables[table], "accuracy", "net", say)
    label(axis, say(f"figures.{table}.x"), "", legend=False)
    return figure
