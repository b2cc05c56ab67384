"""Repositories with files that run code or write elsewhere: pickles, and names that are more than names."""

import io
import pickle
import zipfile
from pathlib import PureWindowsPath

import numpy as np
from hostile_case import CANARY, Case, code, without

PNG = b"\x89PNG\r\n\x1a\n"
GIT_FOLDER = {
    ".git/HEAD": b"ref: refs/heads/main\n",
    ".git/objects/info/x": b"",
    ".git/refs/heads/x": b"",
}


class Payload:
    """What a pickle runs when it is loaded."""

    def __init__(self, canary: str):
        self.canary = canary

    def __reduce__(self):
        return open, (self.canary, "w")


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


FILES = [
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
]
