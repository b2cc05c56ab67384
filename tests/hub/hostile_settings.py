"""Repositories whose settings name code, kernels or weights that loading them would fetch, run or read."""

import json
from collections.abc import Callable

import numpy as np
from fake_hub.repositories import File
from hostile_case import Case, code, settings, without
from safetensors.numpy import load, save

OWN_CONFIG = {"model_type": "strange", "auto_map": {"AutoConfig": "configuration_strange.StrangeConfig"}}
CONFIG_CODE = """
from transformers import PreTrainedConfig
class StrangeConfig(PreTrainedConfig):
    model_type = "strange"
"""


def with_strange_tokenizer(model: dict, canary: str) -> dict:
    """Return a model, or a tokenizer alone, whose settings name a tokenizer's class in a file that it brings."""
    names = {"tokenizer_class": "Strange", "auto_map": {"AutoTokenizer": ["tokenization_strange.Strange", None]}}
    return settings(model, "tokenizer_config.json", **names) | {
        "tokenization_strange.py": code(canary, "class Strange: pass")
    }


def stolen_weights(model: dict) -> dict:
    """Return a model, one of whose weights is to come from a file beside its folder."""
    weights = load(model["model.safetensors"])
    index = {"metadata": {}, "weight_map": dict.fromkeys(weights, "model-00001-of-00002.safetensors")}
    index["weight_map"]["transformer.wpe.weight"] = "../secret.safetensors"
    del weights["transformer.wpe.weight"]
    return without(model, "model.safetensors") | {
        "model-00001-of-00002.safetensors": save(weights, {"format": "pt"}),
        "model.safetensors.index.json": json.dumps(index).encode(),
    }


def secret_weights(model: dict) -> bytes:
    """Return what lies beside the folder of whoever pulls `stolen_weights`."""
    shape = load(model["model.safetensors"])["transformer.wpe.weight"].shape
    return save({"transformer.wpe.weight": np.full(shape, 1234, np.float32)}, {"format": "pt"})


def swap_the_code(hub, canary: str) -> None:
    """After the harmless code was read, the branch gets other code."""
    repository = hub.repository("evil/model")
    files = dict(repository.files())
    files["configuration_strange.py"] = File.regular(code(canary, CONFIG_CODE))
    repository.write("main", files, "harmless, really")


def add_other_repository(path: str, rest: str = "") -> Callable:
    return lambda hub, canary: hub.create("evil/other", {path: code(canary, rest)})


SETTINGS = [
    Case(
        "code that the config names",
        lambda model, canary: (
            settings(model, "config.json", **OWN_CONFIG) | {"configuration_strange.py": code(canary, CONFIG_CODE)}
        ),
        "load_config",
        "Python code of its own",
    ),
    Case(
        "code that the tokenizer names",
        with_strange_tokenizer,
        "load_tokenizer",
        "Python code of its own",
    ),
    Case(
        "code that a tokenizer without a model names",
        lambda model, canary: with_strange_tokenizer({"tokenizer.json": model["tokenizer.json"]}, canary),
        "load_tokenizer",
        "Python code of its own",
    ),
    Case(
        "code that the image processor names",
        lambda model, canary: (
            settings(
                model,
                "preprocessor_config.json",
                image_processor_type="Strange",
                auto_map={"AutoImageProcessor": "processing_strange.Strange"},
            )
            | {"processing_strange.py": code(canary, "class Strange: pass")}
        ),
        "load_processor",
        "Python code of its own",
    ),
    Case(
        "code that a pipeline names",
        lambda model, canary: (
            settings(
                model,
                "config.json",
                custom_pipelines={"greet": {"impl": "greet.Greet", "pt": ["AutoModel"], "type": "text"}},
            )
            | {"greet.py": code(canary, "class Greet: pass")}
        ),
        "load_pipeline",
        "Python code of its own",
    ),
    Case(
        "code of another repository, which no commit pins",
        lambda model, canary: settings(
            model,
            "config.json",
            model_type="strange",
            auto_map={"AutoConfig": "evil/other--configuration_strange.StrangeConfig"},
        ),
        "load_config",
        "the code of another repository",
        ("--trust_remote_code", "--revision", "{commit}"),
        tweak=add_other_repository("configuration_strange.py", CONFIG_CODE),
    ),
    Case(
        "code that changes after it was read",
        lambda model, canary: (
            settings(model, "config.json", **OWN_CONFIG) | {"configuration_strange.py": CONFIG_CODE.encode()}
        ),
        "load_config",
        None,
        ("--trust_remote_code", "--revision", "{commit}"),
        tweak=swap_the_code,
    ),
    Case(
        "code that changes, trusted without a commit",
        lambda model, canary: (
            settings(model, "config.json", **OWN_CONFIG) | {"configuration_strange.py": CONFIG_CODE.encode()}
        ),
        "load_config",
        "wants --revision with the commit",
        ("--trust_remote_code",),
        tweak=swap_the_code,
    ),
    Case(
        "a way of its own to generate",
        lambda model, canary: model | {"custom_generate/generate.py": code(canary, "def generate(model): pass")},
        "load_model",
    ),
    Case(
        "attention from a kernel on the Hub",
        lambda model, canary: settings(model, "config.json", attn_implementation="evil/other"),
        "load_model_with_kernels",
        "asks for 'evil/other' on the Hub",
        tweak=add_other_repository("kernel.py"),
    ),
    Case(
        "attention from a kernel at a revision, under another key",
        lambda model, canary: settings(model, "config.json", _attn_implementation="evil/other@main"),
        "load_model_with_kernels",
        "asks for 'evil/other@main'",
        tweak=add_other_repository("kernel.py"),
    ),
    Case(
        "attention from a kernel, under a name of the model's own",
        lambda model, canary: settings(
            model, "config.json", attribute_map={"harmless": "_attn_implementation_internal"}, harmless="evil/other"
        ),
        "load_model_with_kernels",
        "gives settings other names (attribute_map)",
        tweak=add_other_repository("kernel.py"),
    ),
    Case(
        "weights from a file outside",
        lambda model, canary: stolen_weights(model),
        "look_for_the_secret",
        "looks for weights in '../secret.safetensors'",
        fires=lambda said: "from outside" in said,
    ),
]
