"""LeNet-5 with four activations, for the same number of steps, each with the learning rate that suits it."""

from functools import partial

from torch import nn

from hf_llm.experiments.architectures.training import Images, channels_last, draw_accuracy, more_accurate, race
from hf_llm.experiments.frame import Finding, Study, Tables, means
from hf_llm.models.image_classifiers import new_image_classifier

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu")
STEPS = (20, 150)  # of the short and of the full version


def measure(study: Study) -> Tables:
    """Train LeNet-5 with each activation."""
    images, steps = Images.of(study), study.pick(*STEPS)
    nets = {name: partial(lenet_5, name) for name in ACTIVATIONS}
    return race(study, images, "activations", nets, lambda net, model, rate, seed: images.fit(model, steps, rate, seed))


def lenet_5(activation: str, seed: int) -> nn.Module:
    return channels_last(new_image_classifier("lenet", seed, activation=activation))


def findings(tables: Tables) -> list[Finding]:
    others = [name for name in ACTIVATIONS if name != "relu"]
    return [more_accurate(f"relu_over_{name}", tables["activations"], "relu", name) for name in others]


FIGURES = {"activations": partial(draw_accuracy, table="activations", height=2.4)}
SUMMARIES = {"activations": lambda tables: means(tables["activations"], ["net"], ["rate", "accuracy"])}
