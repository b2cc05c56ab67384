"""LeNet-5 as a Hugging Face model, in the layer names of LeCun et al. 1998, "Gradient-based learning applied to
document recognition", figure 2.

    input (B, 1, 28, 28)
    C1    (B, 6, 28, 28)    convolution 5×5, padded by 2: 1998 fed images of 32×32 instead
    S2    (B, 6, 14, 14)    pooling 2×2
    C3    (B, 16, 10, 10)   convolution 5×5
    S4    (B, 16, 5, 5)     pooling 2×2
    C5    (B, 120)          fully connected
    F6    (B, 84)           fully connected
    output (B, 10)

What the field has changed since, and this file with it: every map of C3 sees every map of S2 (1998: a chosen part of
them), pooling learns nothing (1998: a factor and a bias a map), and softmax has replaced distances to drawn digits.

>>> model = LeNetForImageClassification(LeNetConfig())
>>> model(pixel_values=torch.zeros(2, 1, 28, 28)).logits.shape
torch.Size([2, 10])
>>> model.num_parameters()
61706
"""

from itertools import pairwise

import torch
from torch import nn
from transformers.activations import ACT2FN

from .configuration_lenet import LeNetConfig
from .modeling_image_classifier import ImageClassifierPreTrainedModel, fully_connected


class LeNetForImageClassification(ImageClassifierPreTrainedModel):
    """`hidden_states` are the activations of C1, S2, C3, S4 and of the fully connected layers, C5 and F6."""

    config_class = LeNetConfig
    base_model_prefix = "lenet"

    def __init__(self, config: LeNetConfig):
        super().__init__(config)
        first, second = config.channels
        self.c1 = nn.Conv2d(config.num_channels, first, kernel_size=5, padding=2)
        self.c3 = nn.Conv2d(first, second, kernel_size=5)
        self.pooling = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}[config.pooling](2)  # S2 and S4
        self.activation = ACT2FN[config.hidden_act]

        side = (config.image_size // 2 - 4) // 2  # of a map of S4
        sizes = [second * side**2, *config.hidden_sizes]
        self.layers = nn.ModuleList(
            fully_connected(inputs, units, config.hidden_act, config.dropout) for inputs, units in pairwise(sizes)
        )
        self.classifier = nn.Linear(sizes[-1], config.num_labels)
        self.post_init()

    def hidden_layers(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        c1 = self.activation(self.c1(pixel_values))  # (B, 6, 28, 28)
        s2 = self.pooling(c1)  # (B, 6, 14, 14)
        c3 = self.activation(self.c3(s2))  # (B, 16, 10, 10)
        s4 = self.pooling(c3)  # (B, 16, 5, 5)
        activations = [c1, s2, c3, s4]
        hidden = s4.flatten(1)  # (B, 400)
        for layer in self.layers:
            hidden = layer(hidden)  # (B, 120), then (B, 84)
            activations.append(hidden)
        return tuple(activations)


LeNetForImageClassification.register_for_auto_class("AutoModelForImageClassification")
