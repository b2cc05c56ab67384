"""What fine-tuning makes of a causal language model: a classifier on top of it, and low-rank adapters in it.

full        every weight is trained
head        the model is frozen; a linear layer on its last state is trained: its features, nothing else
lora        the model is frozen; each attention matrix W gets a trained B·A of low rank beside it (Hu et al. 2021),
            which is added into W at the end, so that the result is a model like any other
"""

import copy
import warnings
from importlib.util import find_spec

import torch
from torch import nn
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

from hf_llm.config import UserError, require
from hf_llm.texts import both


def sequence_classifier(
    language_model: PreTrainedModel, classes: tuple[str, ...], pad_token_id: int, seed: int
) -> PreTrainedModel:
    """Return a classifier of texts that begins with the language model's weights; its new linear layer is random.

    It reads the state at the last token that is not padding: the only one that has seen the whole text.

    Args:
        language_model: As `load_causal_lm` returns it; it is left as it was.
        classes: Names of the classes; their order is that of the logits.
        pad_token_id: What fills short texts up, on the right.
        seed: Seed of the new layer.

    Raises:
        UserError: When transformers has no classifier for this kind of model.
    """
    config = copy.deepcopy(language_model.config)
    kind = config.model_type
    require(type(config) in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, both("models.no_classifier", kind=kind))
    config.id2label = dict(enumerate(classes))  # also sets num_labels
    config.label2id = {name: label for label, name in enumerate(classes)}
    config.pad_token_id = pad_token_id
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        classifier = AutoModelForSequenceClassification.from_config(config)
    classifier.base_model.load_state_dict(language_model.base_model.state_dict())
    return classifier.float().eval()


def freeze(classifier: PreTrainedModel) -> PreTrainedModel:
    """Exclude everything below the classifier's last layer from training, in place."""
    classifier.base_model.requires_grad_(False)
    return classifier


def with_lora(model: PreTrainedModel, rank: int, alpha: float, dropout: float, seed: int) -> nn.Module:
    """Freeze the model and put adapters of `rank` beside the attention matrices that peft names for its kind.

    An adapter adds alpha / rank · B·A·x to W·x. B begins at zero, so that the model at first does what it did. The
    linear layer of a classifier is trained whole.

    Raises:
        UserError: When peft is not installed, or knows no matrices for this kind of model.
    """
    require(find_spec("peft") is not None, both("models.no_peft"))
    import peft

    classifies = type(model).__name__.endswith("ForSequenceClassification")
    settings = peft.LoraConfig(
        task_type="SEQ_CLS" if classifies else "CAUSAL_LM", r=rank, lora_alpha=alpha, lora_dropout=dropout,
        fan_in_fan_out=model.config.model_type == "gpt2",  # its Conv1D holds matrices the other way round
    )  # fmt: skip
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of transformers, about a name that peft uses
            torch.default_generator.manual_seed(seed)
            return peft.get_peft_model(model, settings)
    except ValueError as error:
        raise UserError(both("models.no_lora", kind=model.config.model_type)) from error


def without_lora(model: nn.Module) -> PreTrainedModel:
    """Return the model with its adapters added into its matrices; any other model as it is."""
    return model if isinstance(model, PreTrainedModel) else model.merge_and_unload()
