"""Any causal language model, from a folder or from the Hub, loaded without running anything that came with it.

A model folder is data from a stranger, and three parts of it could run code: pickled weights, the Python files that
`auto_map` points to, and a kernel on the Hub that `attn_implementation: "org/kernel"` names. None of them passes here.
A Hub id is first fetched as a folder at one commit, so that what was looked at is what is loaded.
"""

import json
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
)

from hf_llm.config import UserError, require

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


def load_causal_lm(name: str | Path) -> PreTrainedModel:
    """Return the causal language model `name`, in fp32 on the CPU, in evaluation mode.

    Args:
        name: A folder as `save_pretrained` writes it, or a Hub id such as `openai-community/gpt2`.

    Raises:
        UserError: When there is no such model, when its files are missing or damaged, or when they ask for code.
    """
    folder = model_folder(name)
    require((folder / "config.json").is_file(), f"{name} holds no config.json, so it is not the folder of a model")
    try:
        config, _ = PreTrainedConfig.get_config_dict(folder)
        _refuse_code(name, config)
    except (OSError, TypeError, AttributeError) as error:  # no JSON, or JSON of another form
        raise UserError(f"{name}/config.json is not the configuration of a model; save the model again") from error
    require(
        any((folder / file).is_file() for file in _WEIGHTS),
        f"{name} holds no {_WEIGHTS[0]}; weights in another format are not loaded, write them with save_pretrained",
    )
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    except Exception as error:  # each library below raises its own, for a damaged file as for one that does not fit
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{name} cannot be loaded; save or download it again ({reason})") from error
    missing = sorted(report["missing_keys"])  # transformers would fill them with random numbers and go on
    require(not missing, f"{name} lacks {len(missing)} tensors of its model, {missing[:1]} first; save it again")
    model.loss_type = "ForCausalLM"  # transformers guesses it from the class name, fails for GPT-2, and warns
    return model.eval()


def model_folder(name: str | Path) -> Path:
    """Return `name` if it is a folder, else fetch the Hub model of that id into the Hub's cache and return its folder.

    Raises:
        UserError: When it is neither, or when the Hub cannot be reached and its cache does not hold the model.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    require(not folder.exists(), f"{name} is a file; name the folder of a model")
    absent = f"there is no folder {name}"
    try:
        return Path(
            snapshot_download(
                str(name),
                allow_patterns=["config*.json", "generation_config.json", *_WEIGHTS, "model-*-of-*.safetensors"],
            )
        )
    except HFValidationError:
        raise UserError(f"{absent}, and {str(name)!r} cannot be a model on the Hub either (owner/model)") from None
    except GatedRepoError as error:
        page = f"https://huggingface.co/{name}"
        raise UserError(f"{name} is a gated model; accept its terms at {page} and run: hf auth login") from error
    except RepositoryNotFoundError as error:
        raise UserError(f"{absent} and no such model on the Hub; if it is private, run: hf auth login") from error
    except Exception as error:  # among them those of the Hub client's HTTP library
        raise UserError(f"{absent}, and the Hub cannot be asked for a model of that name; check both") from error


def _refuse_code(name: str | Path, config: dict) -> None:
    """Refuse a configuration that would fetch or run code, or whose model does not write from left to right."""
    for kernel in _hub_kernels(config):
        raise UserError(
            f"{name}/config.json asks for the code of {kernel!r} on the Hub (attn_implementation); remove it"
        )
    require(
        '"attribute_map"' not in json.dumps(config),  # at any depth: transformers obeys it
        f"{name}/config.json gives settings other names (attribute_map), which hides what they do; remove it",
    )
    kind = config.get("model_type")
    require(
        kind in CONFIG_MAPPING or "auto_map" not in config,
        f"{name} brings Python code of its own (auto_map), which is not run here; use a model that transformers knows",
    )
    require(
        kind in CONFIG_MAPPING and CONFIG_MAPPING[kind] in MODEL_FOR_CAUSAL_LM_MAPPING,
        f"{name} is of model_type {kind!r}, which is no causal language model that transformers knows",
    )


def _hub_kernels(node, key: str = "") -> list[str]:
    """Return every value, at any depth below an `…_implementation` key, that names a repository of the Hub."""
    if isinstance(node, dict):
        return [k for name, value in node.items() for k in _hub_kernels(value, key or _implementation(name))]
    if isinstance(node, list):
        return [kernel for value in node for kernel in _hub_kernels(value, key)]
    return [node] if key and isinstance(node, str) and "/" in node else []


def _implementation(name: str) -> str:
    return name if "_implementation" in name else ""
