"""What an image classifier makes of a digit: its probabilities, and the activations on the way to them."""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from hf_llm.models.image_processing_digits import DigitsImageProcessor

if TYPE_CHECKING:
    from PIL import Image

TEMPLATES = 6  # units of an MLP whose weights are returned


class Answer(NamedTuple):
    """What a model answers, and how it comes to it; all fp32."""

    labels: list[str]  # of the classes
    probabilities: np.ndarray  # (classes,)
    layers: dict[str, np.ndarray]  # {name: activations}, (maps, H, W) or (units,)
    templates: dict[int, np.ndarray]  # MLP: {unit: weights over the pixels, (H, W)}, the strongest of the first layer


@cache
def processor() -> DigitsImageProcessor:
    return DigitsImageProcessor()


def prepare(image: "Image.Image | list[np.ndarray]", digit_form: str) -> Tensor:
    """Return what a model of digits in that form is given, (B, 1, 28, 28); errors are the processor's `ValueError`."""
    return processor()(image, digit_form=digit_form, return_tensors="pt").pixel_values


def seen_pixels(pixel_values: Tensor) -> np.ndarray:
    """Return the model's input as grey levels again, uint8 (28, 28): the normalisation undone."""
    levels = pixel_values[0, 0].numpy() * processor().image_std[0] + processor().image_mean[0]
    return np.rint(levels * 255).clip(0, 255).astype(np.uint8)


@torch.no_grad()
def classify(model: PreTrainedModel, pixel_values: Tensor) -> Answer:
    """Return the model's answer to one image, (1, 1, 28, 28)."""
    output = model(pixel_values=pixel_values, output_hidden_states=True)
    labels = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    states = [state[0].float().numpy() for state in output.hidden_states]
    templates = {}
    if model.config.model_type == "hf_llm_mlp":
        weights = model.layers[0][0].weight.numpy().reshape(-1, *pixel_values.shape[-2:])
        templates = {int(unit): weights[unit] for unit in np.argsort(-states[0])[:TEMPLATES]}
    layers = dict(zip(layer_names(model, len(states)), states))
    return Answer(labels, output.logits.softmax(-1)[0].numpy(), layers, templates)


def layer_names(model: PreTrainedModel, count: int) -> list[str]:
    """Return the names of the hidden states: those of LeCun et al. 1998 in a LeNet, else the number, from 1."""
    if model.config.model_type == "hf_llm_lenet":
        return ["C1", "S2", "C3", "S4", *(f"{'CF'[i % 2]}{5 + i}" for i in range(count - 4))]
    return [str(i + 1) for i in range(count)]


@torch.no_grad()
def accuracy(model: PreTrainedModel, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of images, uint8 (N, 28, 28), left as they are, that the model gives their labels, (N,)."""
    logits = model(pixel_values=prepare(list(images), digit_form="any")).logits
    return float((logits.argmax(-1).numpy() == labels).mean())
