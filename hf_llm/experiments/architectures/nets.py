"""Lab `architectures`, the nets: four families with equally many parameters, ResNets without their shortcuts, and
recurrent nets that read an image row by row.

>>> [net_of_equal_size(name, seed=0).num_parameters() for name in EQUAL_SIZE]
[101770, 101866, 101626, 102254]
"""

import torch
from torch import nn
from transformers import AutoModelForImageClassification, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput
from transformers.models.resnet.modeling_resnet import ResNetBasicLayer

from hf_llm.data.images import CLASSES, SIDE
from hf_llm.models.image_classifiers import new_image_classifier, small_resnet

# ResNet and EfficientNet come in steps of a whole stage; the width of the other two is what can be fitted to them.
# LeNet keeps its shape, with wider layers than LeNet-5's 6, 16, 120 and 84.
EQUAL_SIZE = {
    "mlp": {"hidden_sizes": [128]},
    "lenet": {"channels": [8, 24], "hidden_sizes": [140, 84]},
    "resnet": {},
    "efficientnet": {},
}
# hidden units of equally many weights as nearly as whole units allow, about 21,600
RECURRENT = {
    "rnn_relu": (nn.RNN, 128, {"nonlinearity": "relu"}),
    "rnn_relu_identity": (nn.RNN, 128, {"nonlinearity": "relu"}),
    "rnn_tanh": (nn.RNN, 128, {"nonlinearity": "tanh"}),
    "rnn_tanh_identity": (nn.RNN, 128, {"nonlinearity": "tanh"}),
    "gru": (nn.GRU, 70, {}),
    "lstm": (nn.LSTM, 59, {}),
}


def net_of_equal_size(name: str, seed: int) -> PreTrainedModel:
    """Return an untrained mlp, lenet, resnet or efficientnet of about 102,000 parameters."""
    return channels_last(new_image_classifier(name, seed, **EQUAL_SIZE[name]))


def channels_last(model: nn.Module) -> nn.Module:
    """Return the model with its convolutions laid out channel by channel, in which a CPU runs them twice as fast."""
    return model.to(memory_format=torch.channels_last)


def resnet_of_depth(depths: tuple[int, ...], shortcuts: bool, seed: int) -> PreTrainedModel:
    """Return an untrained ResNet with `depths` residual blocks a stage, and its weights drawn by `seed`.

    Without shortcuts a block passes on what its convolutions compute and nothing else: the "plain" net of He et al.
    2016, section 3.3. The projections on the shortcuts, where maps shrink, go with them.
    """
    config = small_resnet()
    config.depths = list(depths)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForImageClassification.from_config(config)
    if not shortcuts:
        for module in model.modules():
            if isinstance(module, ResNetBasicLayer):
                module.shortcut = Nothing()
    return channels_last(model).train()


class Nothing(nn.Module):
    """A shortcut that adds zero."""

    def forward(self, hidden_state: torch.Tensor) -> torch.Tensor:
        return torch.zeros((), dtype=hidden_state.dtype)


class RowReader(nn.Module):
    """A recurrent net that reads an image from the top, one row of pixels a step, and then names the digit.

    Args:
        name: Key of `RECURRENT`. With "identity" in it the state is handed on as it is at first (Le, Jaitly and Hinton
            2015, "A simple way to initialize recurrent networks of rectified linear units").
        seed: Seed of the weights; they are drawn as torch draws them.
    """

    def __init__(self, name: str, seed: int):
        super().__init__()
        recurrent, hidden, settings = RECURRENT[name]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.recurrent = recurrent(SIDE, hidden, batch_first=True, **settings)
            self.classifier = nn.Linear(hidden, CLASSES)
        if "identity" in name:
            nn.init.eye_(self.recurrent.weight_hh_l0)
            nn.init.zeros_(self.recurrent.bias_hh_l0)
            nn.init.zeros_(self.recurrent.bias_ih_l0)

    def forward(self, pixel_values: torch.Tensor) -> ImageClassifierOutput:
        """Return the logits (B, 10) of images (B, 1, 28, 28)."""
        states, _ = self.recurrent(pixel_values.squeeze(1))  # (B, 28, hidden)
        return ImageClassifierOutput(logits=self.classifier(states[:, -1]))


def parameters_of(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
