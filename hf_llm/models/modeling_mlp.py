"""A multilayer perceptron as a Hugging Face model: pixels, hidden layers, ten scores.

    (B, 1, 28, 28) → 784 → 512 → 512 → 10        each hidden layer: linear, [batch norm,] activation, dropout

>>> model = MLPForImageClassification(MLPConfig())
>>> model(pixel_values=torch.zeros(2, 1, 28, 28)).logits.shape
torch.Size([2, 10])
>>> model.num_parameters()
669706
"""

from itertools import pairwise

import torch
from torch import nn

from .configuration_mlp import MLPConfig
from .modeling_image_classifier import ImageClassifierPreTrainedModel, fully_connected


class MLPForImageClassification(ImageClassifierPreTrainedModel):
    """`hidden_states` are the activations of the hidden layers, each (B, units)."""

    config_class = MLPConfig
    base_model_prefix = "mlp"

    def __init__(self, config: MLPConfig):
        super().__init__(config)
        sizes = [config.num_channels * config.image_size**2, *config.hidden_sizes]
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.layers = nn.ModuleList(
            fully_connected(inputs, units, config.hidden_act, config.dropout, config.batch_norm)
            for inputs, units in pairwise(sizes)
        )
        self.classifier = nn.Linear(sizes[-1], config.num_labels)
        self.post_init()

    def hidden_layers(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hidden = self.input_dropout(pixel_values.flatten(1))  # (B, num_channels·image_size²)
        activations = []
        for layer in self.layers:
            hidden = layer(hidden)  # (B, units)
            activations.append(hidden)
        return tuple(activations)


MLPForImageClassification.register_for_auto_class("AutoModelForImageClassification")
