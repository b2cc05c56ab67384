"""Any causal language model, from a folder or from the Hub, loaded without running anything that came with it.

A model's folder is data from a stranger: pickled weights are not read, and what its settings could make a loader fetch
or run is refused by the rule of foreign_code.py. A Hub id is first fetched as a folder at one commit, so that what was
looked at is what is loaded.
"""

import hashlib
import logging
import os
from pathlib import Path

import torch
from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
)

import hf_llm.models.recurrent  # noqa: F401 – makes the Auto classes know our own
from hf_llm.config import UserError, library_folder, quoted, require
from hf_llm.data.content import refuse_pointer
from hf_llm.models.context import context_length
from hf_llm.models.foreign_code import WEIGHTS, named_code
from hf_llm.models.weights import first_line, load_weights
from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import both

logger = logging.getLogger(__name__)

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


def load_causal_lm(name: str | Path) -> PreTrainedModel:
    """Return the causal language model `name`, in fp32 on the CPU, in evaluation mode.

    Args:
        name: A folder as `save_pretrained` writes it, or a Hub id such as `openai-community/gpt2`.

    Raises:
        UserError: When there is no such model, when its files are missing or damaged, or when they ask for code.
    """
    folder, name = model_folder(name), str(name)
    require((folder / "config.json").is_file(), both("models.no_config", name=name))
    classes = named_code(name, folder, os.listdir(folder))
    refuse_pointers(folder)
    require(any((folder / file).is_file() for file in _WEIGHTS), both("models.no_weights", name=name, file=_WEIGHTS[0]))
    try:
        kind = PreTrainedConfig.get_config_dict(folder)[0].get("model_type")
    except Exception as error:
        raise UserError(both("models.damaged", name=name, reason=first_line(error))) from error
    known = isinstance(kind, str) and kind in CONFIG_MAPPING
    require(known or not classes, both("models.own_code", name=name, classes=", ".join(classes)))
    require(
        known and CONFIG_MAPPING[kind] in MODEL_FOR_CAUSAL_LM_MAPPING,
        both("models.unknown_type", name=name, kind=quoted(repr(kind))),
    )
    recorded = (read_manifest(folder) or {}).get("files", {}).get("config.json")
    if recorded not in (None, file_sha256(folder / "config.json")):  # other heads, say, have the same shapes
        logger.warning("%s: config.json is not the one that the run wrote; the model may compute something else", name)
    model = load_weights(AutoModelForCausalLM, folder, name, dtype=torch.float32)
    model.loss_type = "ForCausalLM"  # transformers guesses it from the class name, fails for GPT-2, and warns
    _check_reads_forward(model, name)
    return model


@torch.inference_mode()
def _check_reads_forward(model: PreTrainedModel, name: str) -> None:
    """Refuse a model whose predictions depend on what follows, as BERT's do: as a language model it sees the answer.

    Two texts that differ in their last token alone must give the same logits before it. Rounding moves them too: by
    some 1e-7 of the logits where experts share the tokens of a batch out among them. An untrained BERT of two layers
    moves them by 1e-3 of what the token itself changes, a trained one by more.
    """
    rows, T = model.get_input_embeddings().num_embeddings, min(8, context_length(model) or 8)
    ids = torch.arange(T).repeat(2, 1) % rows  # (2, T)
    ids[1, -1] = (ids[0, -1] + 1) % rows
    try:
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits  # (2, T, vocab)
    except Exception as error:  # it wants a picture, sound or another text beside
        raise UserError(both("models.needs_more", name=name, reason=first_line(error))) from error
    moved = (logits[0] - logits[1]).abs()  # (T, vocab); NaN where a training diverged, which passes
    before, there = moved[:-1].amax() if T > 1 else torch.tensor(0.0), moved[-1].amax()
    sees_ahead = before > 1e-4 * there and before > 1e-5 * logits.abs().amax()
    require(not sees_ahead, both("models.sees_ahead", name=name, kind=type(model).__name__))


def model_folder(name: str | Path) -> Path:
    """Return `name` if it is a folder, else fetch the Hub model of that id into the Hub's cache and return its folder.

    Raises:
        UserError: When it is neither, or when the Hub cannot be reached and its cache does not hold the model.
    """
    folder, name = library_folder(name), str(name)
    if folder.is_dir():
        return folder
    require(not folder.exists(), both("models.is_a_file", name=name))
    patterns = ["config*.json", "generation_config.json", *_WEIGHTS, "model-*-of-*.safetensors"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except HFValidationError:
        raise UserError(both("models.not_a_hub_name", name=name)) from None
    except GatedRepoError as error:
        raise UserError(both("models.gated", name=name, page=f"{constants.ENDPOINT}/{name}")) from error
    except RepositoryNotFoundError as error:
        raise UserError(both("models.not_on_the_hub", name=name)) from error
    except Exception as error:  # among them those of the Hub client's HTTP library
        if constants.HF_HUB_OFFLINE:
            variable = "HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") else "TRANSFORMERS_OFFLINE"
            raise UserError(both("models.hub_offline", name=name, variable=variable)) from error
        raise UserError(both("models.hub_unreachable", name=name)) from error


def refuse_pointers(folder: Path) -> None:
    """Refuse a model's folder in which Git has left pointers in the place of weights.

    Raises:
        UserError: Says how to fetch them.
    """
    for name in sorted(os.listdir(folder)):
        if WEIGHTS.fullmatch(name):
            refuse_pointer(folder / name)


def model_sha256(folder: Path) -> str:
    """Return the SHA-256 over those of the files that a model's numbers depend on: config.json and its weights."""
    names = ["config.json", *sorted(name for name in os.listdir(folder) if WEIGHTS.fullmatch(name))]
    lines = "".join(f"{file_sha256(folder / name)}  {name}\n" for name in names)
    return hashlib.sha256(lines.encode()).hexdigest()
