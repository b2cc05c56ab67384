"""The shape of a multilayer perceptron for images.

>>> MLPConfig().hidden_sizes, MLPConfig().num_labels
([512, 512], 10)
"""

from huggingface_hub.dataclasses import strict

from .configuration_image_classifier import ImageClassifierConfig, probability


@strict
class MLPConfig(ImageClassifierConfig):
    """784-512-512-10 unless told otherwise.

    Args:
        hidden_sizes: Units of each hidden layer.
        input_dropout: Probability that a pixel is dropped in training. Srivastava et al. 2014 drop 20 % of the pixels
            beside 50 % of the hidden units.
        batch_norm: Whether to normalise each layer before its activation (Ioffe and Szegedy 2015).
    """

    model_type = "hf_llm_mlp"

    hidden_sizes: list[int] | tuple[int, ...] = (512, 512)
    input_dropout: float | int = 0.0
    batch_norm: bool = False

    def validate_input_dropout(self):
        probability("input_dropout", self.input_dropout)


MLPConfig.register_for_auto_class()
