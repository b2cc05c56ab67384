"""Settings that an MLP and a LeNet share, and what is wrong with impossible ones.

This file and its neighbours `configuration_*`, `modeling_*` and `image_processing_*` are copied into every saved
model, where they run without this project: they import transformers and each other, nothing else of it.
"""

from typing import Literal

from transformers import PreTrainedConfig

ACTIVATIONS = ("relu", "sigmoid", "tanh", "gelu")


class ImageClassifierConfig(PreTrainedConfig):
    """What every one of these nets has; `@strict` on the subclasses checks types and calls each `validate_*`.

    Args:
        image_size: Height and width of an image in pixels.
        num_channels: 1 for grey, 3 for colour.
        hidden_sizes: Units of each fully connected hidden layer, from the input on.
        hidden_act: Activation function of every hidden layer.
        dropout: Probability that a hidden unit is dropped in training (Srivastava et al. 2014).
        num_labels: Number of classes, 10 unless `id2label` names others.
    """

    image_size: int = 28
    num_channels: int = 1
    hidden_sizes: list[int] | tuple[int, ...] = ()
    hidden_act: str = "relu"
    dropout: float | int = 0.0
    # transformers would otherwise guess the loss from the labels' type, and write its guess into the configuration
    problem_type: Literal["single_label_classification"] = "single_label_classification"

    def __post_init__(self, **kwargs):
        self.hidden_sizes = list(self.hidden_sizes)
        if self.id2label is None:
            self.id2label = {label: str(label) for label in range(kwargs.pop("num_labels", 10))}
            self.label2id = {name: label for label, name in self.id2label.items()}
        self.validate_num_labels()  # before transformers, which would advise a regression for one label
        super().__post_init__(**kwargs)

    def validate_image(self):
        for name in ("image_size", "num_channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def validate_hidden_sizes(self):
        if min(self.hidden_sizes, default=0) < 1:
            raise ValueError(
                f"hidden_sizes must name one layer or more, each of at least one unit, not {self.hidden_sizes}"
            )

    def validate_hidden_act(self):
        one_of("hidden_act", self.hidden_act, ACTIVATIONS)

    def validate_dropout(self):
        probability("dropout", self.dropout)

    def validate_num_labels(self):
        if self.num_labels < 2:
            raise ValueError(f"num_labels must be at least 2, to have something to tell apart, not {self.num_labels}")


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def probability(name: str, value: float) -> None:
    if not 0 <= value < 1:  # at 1 nothing would be left; NaN fails both comparisons
        raise ValueError(f"{name} is the share of units that are dropped: at least 0 and below 1, not {value}")
