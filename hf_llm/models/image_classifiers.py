"""The four image classifiers by name, untrained, with seeded weights.

mlp and lenet are this project's own classes; resnet and efficientnet are transformers', with about 100,000 parameters
each. Importing this file makes transformers' Auto classes know the first two.

>>> model = new_image_classifier("mlp", seed=0, hidden_sizes=[256], dropout=0.5)
>>> model.num_parameters()
203530
"""

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import nn
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForImageClassification,
    EfficientNetConfig,
    PreTrainedModel,
    ResNetConfig,
)
from transformers import initialization as init

from hf_llm.config import UserError, nearest, require
from hf_llm.models.configuration_image_classifier import probability
from hf_llm.models.configuration_lenet import LeNetConfig
from hf_llm.models.configuration_mlp import MLPConfig
from hf_llm.models.image_processing_digits import DigitsImageProcessor
from hf_llm.models.modeling_lenet import LeNetForImageClassification
from hf_llm.models.modeling_mlp import MLPForImageClassification

for _model in (MLPForImageClassification, LeNetForImageClassification):
    AutoConfig.register(_model.config_class.model_type, _model.config_class)
    AutoModelForImageClassification.register(_model.config_class, _model)
    AutoImageProcessor.register(_model.config_class, image_processor_classes={"pil": DigitsImageProcessor})

# config.json's word for what `pipeline` runs with `trust_remote_code`
PIPELINE = {
    "image-classification": {"impl": "pipeline_digits.DigitsPipeline", "pt": ["AutoModelForImageClassification"]}
}

SETTINGS = {
    "mlp": ("hidden_sizes", "activation", "dropout", "input_dropout", "batch_norm"),
    "lenet": ("hidden_sizes", "channels", "activation", "pooling", "dropout"),
    "resnet": (),
    "efficientnet": ("dropout",),
}


def new_image_classifier(
    name: str,
    seed: int,
    *,
    hidden_sizes: list[int] | None = None,
    channels: list[int] | None = None,
    activation: str = "relu",
    pooling: str = "max",
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    batch_norm: bool = False,
    num_labels: int = 10,
) -> PreTrainedModel:
    """Return an untrained classifier of 28×28 grey images, in training mode, in fp32.

    The weights depend on the settings and `seed` alone, and the global random state is left as it was. A setting that
    differs from its default is refused where the model has no such thing.

    Args:
        name: mlp, lenet, resnet or efficientnet.
        seed: Seed of the weights.
        hidden_sizes: Units of the fully connected hidden layers. Default: 512-512 of mlp, 120-84 of lenet.
        channels: Feature maps of lenet's two convolutions. Default: 6 and 16.
        activation: relu, sigmoid, tanh or gelu, of mlp and lenet; resnet keeps its relu, efficientnet its swish.
        pooling: max or average, of lenet.
        dropout: Probability for each fully connected hidden unit; in efficientnet, for the classifier's inputs.
        input_dropout: Probability for each pixel, of mlp.
        batch_norm: Whether mlp normalises its layers; resnet and efficientnet always do.
        num_labels: Number of classes, named "0", "1", …

    Raises:
        UserError: For an unknown name, an impossible value, or a setting that the model does not have.
    """
    if name not in SETTINGS:
        models = ", ".join(SETTINGS)
        raise UserError(f"the image classifiers are {models}; there is no {name!r}{nearest(name, list(SETTINGS))}")
    given = {
        "hidden_sizes": hidden_sizes, "channels": channels, "activation": activation, "pooling": pooling,
        "dropout": dropout, "input_dropout": input_dropout, "batch_norm": batch_norm,
    }  # fmt: skip
    defaults = new_image_classifier.__kwdefaults__
    given = {setting: value for setting, value in given.items() if value != defaults[setting]}
    for setting in given:
        owners = [model for model, settings in SETTINGS.items() if setting in settings]
        require(name in owners, f"{name} has no {setting} to be set; leave it out, or take {' or '.join(owners)}")
    if "activation" in given:
        given["hidden_act"] = given.pop("activation")  # transformers' word

    make_config = {"mlp": MLPConfig, "lenet": LeNetConfig, "resnet": small_resnet, "efficientnet": small_efficientnet}
    try:
        config = make_config[name](num_labels=num_labels, **given)
    except (StrictDataclassError, ValueError) as error:
        raise UserError(str(error.__cause__ or error)) from error
    config.custom_pipelines = PIPELINE
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        model = AutoModelForImageClassification.from_config(config)
        if name == "efficientnet":
            _draw_again(model)
    return model.train()


def small_resnet(num_labels: int = 10) -> ResNetConfig:
    """Return a ResNet (He et al. 2016) of five residual blocks in three stages, 101,626 parameters for ten classes.

    Its stem halves the image twice, so maps are 7×7, 4×4 and 2×2: a fourth stage would look at one pixel.
    """
    return ResNetConfig(
        num_channels=1,
        layer_type="basic",
        embedding_size=16,
        hidden_sizes=[16, 32, 64],
        depths=[2, 2, 1],
        **_labels(num_labels),
    )


def small_efficientnet(num_labels: int = 10, dropout: float = 0.0) -> EfficientNetConfig:
    """Return an EfficientNet (Tan and Le 2019) of half B0's width and its first four stages, 102,254 parameters.

    Maps are 14×14, 7×7 and 3×3. Stochastic depth is off: it is there for nets of many blocks.
    """
    probability("dropout", dropout)
    return EfficientNetConfig(
        num_channels=1,
        image_size=28,
        width_coefficient=0.5,
        depth_coefficient=1.0,
        in_channels=[32, 16, 24, 40],
        out_channels=[16, 24, 40, 80],
        kernel_sizes=[3, 3, 5, 3],
        strides=[1, 2, 1, 2],  # B0 has 1, 2, 2, 2, for images eight times as large
        num_block_repeats=[1, 2, 2, 2],
        expand_ratios=[1, 6, 6, 6],
        hidden_dim=640,  # must be 1280 · width_coefficient
        dropout_rate=dropout,
        drop_connect_rate=0.0,
        # transformers hands torch TensorFlow's 0.99, the share of the old; torch's momentum is the share of the new
        batch_norm_momentum=0.1,
        **_labels(num_labels),
    )


@torch.no_grad()
def _draw_again(model: PreTrainedModel) -> None:
    """Draw an EfficientNet's weights as its authors do: convolutions by He et al. 2015 over the outputs, gains 1.

    transformers, which expects pretrained weights, draws the gains of batch norm with deviation 0.02 about zero. The
    signal then shrinks fifty times a layer: every gradient but the classifier's is exactly zero, and nothing is learnt.
    """
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            init.ones_(module.weight)
        elif isinstance(module, nn.Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out")


def _labels(num_labels: int) -> dict:
    if num_labels < 2:
        raise ValueError(f"num_labels must be at least 2, to have something to tell apart, not {num_labels}")
    names = {label: str(label) for label in range(num_labels)}
    return {"id2label": names, "label2id": {name: label for label, name in names.items()}}
