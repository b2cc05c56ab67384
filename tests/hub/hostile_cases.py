"""Repositories that do more than hold a model: what each holds, who sets it off, and what a pull says to it."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PureWindowsPath

import numpy as np
from hub_repositories import File
from safetensors.numpy import load, save

PNG = b"\x89PNG\r\n\x1a\n"
CANARY = "canary"  # the file that goes off, beside the folders of the test


@dataclass(frozen=True)
class Case:
    """A hostile repository.

    Attributes:
        name: For people.
        files: (a good model's files, path of the canary) → what the repository holds.
        victim: A function of hostile_victims.py that sets it off; None where writing its names does.
        refusal: A part of the sentence that a pull ends with; None where it leaves the bad file on the Hub.
        words: Further words of the pull; {commit} stands for the commit that was read.
        fires: Of what a naive pull and the victim print, whether it went off; else the canary is looked for.
        windows: Names are taken as Windows would.
        tweak: What else is to be done with the Hub.
    """

    name: str
    files: Callable[[dict, str], dict[str, bytes]]
    victim: str | None = None
    refusal: str | None = None
    words: tuple[str, ...] = ()
    fires: Callable[[str], bool] | None = None
    windows: bool = False
    tweak: Callable = lambda hub, canary: None


class Payload:
    """What a pickle runs when it is loaded."""

    def __init__(self, canary: str):
        self.canary = canary

    def __reduce__(self):
        return open, (self.canary, "w")


def code(canary: str, rest: str = "") -> bytes:
    return f"open({canary!r}, 'w').close()\n{rest}".encode()


def torch_save(canary: str) -> bytes:
    """Return a pickle as torch.save would write it, which need not be there to make one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Payload(canary), protocol=2))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def npy(canary: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Payload(canary)], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def settings(model: dict, name: str, **changes) -> dict:
    """Return the model with other settings."""
    return model | {name: json.dumps({**json.loads(model.get(name, b"{}")), **changes}).encode()}


def without(model: dict, *names: str) -> dict:
    return {name: content for name, content in model.items() if name not in names}


def header_of(tensors: int) -> bytes:
    """Return safetensors whose header names so many empty tensors, 100 bytes each."""
    entry = '"%040d": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}'
    header = ("{" + ",".join(entry % number for number in range(tensors)) + "}").encode()
    return struct.pack("<Q", len(header)) + header


def card_with(metadata: str) -> bytes:
    return f"---\n{metadata}\n---\n# A model\n".encode()


def bomb() -> str:
    """Return "billion laughs" in YAML: ten lines that stand for a billion words."""
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for before, name in zip("abcdefgh", "bcdefghi"):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    return "\n".join(lines)


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


GIT_FOLDER = {
    ".git/HEAD": b"ref: refs/heads/main\n",
    ".git/objects/info/x": b"",
    ".git/refs/heads/x": b"",
}
OWN_CONFIG = {"model_type": "strange", "auto_map": {"AutoConfig": "configuration_strange.StrangeConfig"}}
CONFIG_CODE = """
from transformers import PreTrainedConfig
class StrangeConfig(PreTrainedConfig):
    model_type = "strange"
"""


def swap_the_code(hub, canary: str) -> None:
    """After the harmless code was read, the branch gets other code."""
    repository = hub.repository("evil/model")
    files = dict(repository.files())
    files["configuration_strange.py"] = File.regular(code(canary, CONFIG_CODE))
    repository.write("main", files, "harmless, really")


def add_other_repository(path: str, rest: str = "") -> Callable:
    return lambda hub, canary: hub.create("evil/other", {path: code(canary, rest)})


CASES = [
    Case(
        "pickled weights alone",
        lambda model, canary: without(model, "model.safetensors") | {"pytorch_model.bin": torch_save(canary)},
        "open_all",
        "no weights in safetensors",
    ),
    Case(
        "pickled weights beside good ones",
        lambda model, canary: model | {"pytorch_model.bin": torch_save(canary)},
        "open_all",
    ),
    Case(
        "a pickle by the name of safetensors",
        lambda model, canary: model | {"model.safetensors": pickle.dumps(Payload(canary))},
        "open_all",
        "model.safetensors is not safetensors",
    ),
    Case(
        "a zipped pickle by the name of safetensors",
        lambda model, canary: model | {"model.safetensors": torch_save(canary)},
        "open_all",
        "model.safetensors is not safetensors",
    ),
    Case("a pickled optimizer", lambda model, canary: model | {"optimizer.pt": torch_save(canary)}, "open_all"),
    Case(
        "pickled training arguments",
        lambda model, canary: model | {"training_args.bin": torch_save(canary)},
        "open_all",
    ),
    Case(
        "a pickled tokenizer",
        lambda model, canary: model | {"tokenizer.pkl": pickle.dumps(Payload(canary))},
        "open_all",
    ),
    Case(
        "a pickle in a NumPy array",
        lambda model, canary: model | {"mean.npy": npy(canary)},
        "open_all",
    ),
    Case(
        "the pickled index of a distributed checkpoint",
        lambda model, canary: model | {"checkpoint/.metadata": pickle.dumps(Payload(canary))},
        "open_all",
    ),
    Case("a name that leads out", lambda model, canary: model | {f"../{CANARY}": b""}, refusal="no honest repository"),
    Case(
        "a name that leads out on a detour",
        lambda model, canary: model | {f"figures/../../{CANARY}": b""},
        refusal="no honest repository",
    ),
    Case("an absolute name", lambda model, canary: model | {canary: b""}, refusal="no honest repository"),
    Case(
        "a name that leads out on Windows",
        lambda model, canary: model | {f"..\\{CANARY}": b""},
        refusal="no honest repository",
        windows=True,
    ),
    Case(
        "a drive's letter",
        lambda model, canary: model | {f"C:{CANARY}": b""},
        refusal="no honest repository",
        fires=lambda said: any(PureWindowsPath(line).drive for line in said.splitlines()),
    ),
    Case(
        "the name of a device",
        lambda model, canary: model | {"figures/con.png": PNG},
        fires=lambda said: any(PureWindowsPath(line).is_reserved() for line in said.splitlines()),
    ),
    Case(
        "two names that are one on some systems",
        lambda model, canary: model | {"figures/Loss.png": PNG},
        refusal="are one file to some systems",
        fires=lambda said: len({line.lower() for line in said.splitlines()}) < len(said.splitlines()),
    ),
    Case(
        "a name that commands the terminal",
        lambda model, canary: model | {"\x1b]0;owned\x07.txt": b""},
        refusal="no honest repository",
        fires=lambda said: "\x1b" in said,
    ),
    Case(
        "Git's own folder",
        lambda model, canary: (
            model | GIT_FOLDER | {".git/config": f'[core]\n\tfsmonitor = "touch {canary};"\n'.encode()}
        ),
        "run_git_in_it",
        "no honest repository",
    ),
    Case("a module that hides Python's", lambda model, canary: model | {"json.py": code(canary)}, "run_python_in_it"),
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
        lambda model, canary: (
            settings(
                model,
                "tokenizer_config.json",
                tokenizer_class="Strange",
                auto_map={"AutoTokenizer": ["tokenization_strange.Strange", None]},
            )
            | {"tokenization_strange.py": code(canary, "class Strange: pass")}
        ),
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
        "asks for the code of 'evil/other' on the Hub",
        tweak=add_other_repository("kernel.py"),
    ),
    Case(
        "attention from a kernel at a revision, under another key",
        lambda model, canary: settings(model, "config.json", _attn_implementation="evil/other@main"),
        "load_model_with_kernels",
        "asks for the code of 'evil/other@main'",
        tweak=add_other_repository("kernel.py"),
    ),
    Case(
        "weights from a file outside",
        lambda model, canary: stolen_weights(model),
        "look_for_the_secret",
        "looks for weights in '../secret.safetensors'",
        fires=lambda said: "from outside" in said,
    ),
    Case(
        "a header of 10 GB, announced",
        lambda model, canary: model | {"model.safetensors": struct.pack("<Q", 10**10)},
        "read_header",
        "announces a header of 10,000,000,000 bytes",
        fires=lambda said: "MemoryError" in said,
    ),
    Case(
        "a header of 30 MB, real",
        lambda model, canary: model | {"model.safetensors": header_of(300_000)},
        "list_tensors",
        "has a header of",
        fires=lambda said: "a lot of memory" in said,
    ),
    Case(
        "a card that grows",
        lambda model, canary: model | {"README.md": card_with(bomb())},
        "read_card",
        "YAML aliases",
        fires=lambda said: "MemoryError" in said,
    ),
    Case(
        "a card of many folds",
        lambda model, canary: model | {"README.md": card_with("a: " + "[" * 5000 + "]" * 5000)},
        "read_card",
        "nested too deeply",
        fires=lambda said: "RecursionError" in said,
    ),
    Case(
        "a config of many folds",
        lambda model, canary: model | {"config.json": b"[" * 100_000 + b"]" * 100_000},
        "read_config",
        "config.json is not JSON, or nested too deeply",
        fires=lambda said: "RecursionError" in said,
    ),
    Case(
        "a config of 20 MB",
        lambda model, canary: model | {"config.json": b"[" + b"{}," * 7_000_000 + b"{}]"},
        "read_config",
        "8,388,608 is the most",
        fires=lambda said: "MemoryError" in said,
    ),
    Case(
        "a listing without end",
        lambda model, canary: model,
        refusal="holds more than 10,000 files",
        fires=lambda said: "51 pages" in said,
        tweak=lambda hub, canary: setattr(hub, "endless_listings", True),
    ),
]
