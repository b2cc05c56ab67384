"""The shape of LeNet-5, the convolutional network of LeCun, Bottou, Bengio and Haffner 1998.

>>> LeNetConfig().channels, LeNetConfig().hidden_sizes
([6, 16], [120, 84])
"""

from huggingface_hub.dataclasses import strict

from .configuration_image_classifier import ImageClassifierConfig, one_of

POOLINGS = ("max", "average")
SMALLEST_IMAGE = 12  # two 5×5 convolutions, one of them padded, and two halvings leave one pixel of 12


@strict
class LeNetConfig(ImageClassifierConfig):
    """Maps and units of 1998 with the activation and pooling of today.

    Args:
        channels: Feature maps of the two convolutions.
        hidden_sizes: Units of the fully connected layers between the convolutions and the classes.
        hidden_act: relu, as is used now; 1998 had a scaled tanh.
        pooling: max, as is used now; 1998 had average.
        dropout: In the fully connected layers alone: neighbouring pixels of a map carry the same information.
    """

    model_type = "hf_llm_lenet"

    hidden_sizes: list[int] | tuple[int, ...] = (120, 84)
    channels: list[int] | tuple[int, int] = (6, 16)
    pooling: str = "max"

    def __post_init__(self, **kwargs):
        self.channels = list(self.channels)
        super().__post_init__(**kwargs)

    def validate_channels(self):
        if len(self.channels) != 2 or min(self.channels) < 1:
            raise ValueError(f"channels must be two numbers of at least 1, one a convolution, not {self.channels}")

    def validate_pooling(self):
        one_of("pooling", self.pooling, POOLINGS)

    def validate_smallest_image(self):
        if self.image_size < SMALLEST_IMAGE:
            raise ValueError(f"image_size must be at least {SMALLEST_IMAGE} pixels for LeNet, not {self.image_size}")


LeNetConfig.register_for_auto_class()
