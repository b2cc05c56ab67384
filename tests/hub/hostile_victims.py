"""What people do with a folder that they have just pulled. Each function may set off what a hostile one holds.

    python tests/hub/hostile_victims.py VICTIM FOLDER

Prints why something went off that leaves no file behind: an exception, or memory that ran out.
"""

import contextlib
import io
import json
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import ModelCard
from safetensors import safe_open
from transformers import AutoConfig, AutoImageProcessor, AutoModelForCausalLM, AutoTokenizer, pipeline
from transformers.integrations import hub_kernels

ROOM = 300 * 2**20  # bytes that a victim may take besides what it has


def open_all(folder: Path) -> None:
    """Look into every file with whatever opens it."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        for load in (
            lambda file: torch.load(io.BytesIO(file.read_bytes()), weights_only=False),
            lambda file: np.load(file, allow_pickle=True),
            lambda file: pickle.loads(file.read_bytes()),
        ):
            with contextlib.suppress(Exception):
                load(path)


def load_config(folder: Path) -> None:
    AutoConfig.from_pretrained(folder, trust_remote_code=True)


def load_tokenizer(folder: Path) -> None:
    AutoTokenizer.from_pretrained(folder, trust_remote_code=True)


def load_processor(folder: Path) -> None:
    AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)


def load_model(folder: Path):
    return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)


def load_pipeline(folder: Path) -> None:
    pipeline("greet", model=str(folder), trust_remote_code=True)


def load_model_with_kernels(folder: Path) -> None:
    """With a stand-in for the package `kernels`, which fetches a repository and runs what is in it."""

    def get_kernel(name: str, **_):
        code = subprocess.run(
            [sys.executable, "-c", FETCH, name, "kernel.py"], capture_output=True, text=True, check=True
        )
        exec(code.stdout)

    hub_kernels.is_kernels_available, hub_kernels.get_kernel = (lambda *_, **__: True), get_kernel
    load_model(folder)


FETCH = """
import sys
from huggingface_hub import hf_hub_download
print(open(hf_hub_download(sys.argv[1], sys.argv[2])).read())
"""


def look_for_the_secret(folder: Path) -> None:
    """Load the model and look whether it holds numbers from a file outside of its folder."""
    if (load_model(folder).transformer.wpe.weight == 1234).all():
        print("it loaded a file from outside")


def run_python_in_it(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", "import json"], cwd=folder, check=False)


def run_git_in_it(folder: Path) -> None:
    subprocess.run(["git", "status"], cwd=folder, capture_output=True, check=False)


def read_header(folder: Path) -> None:
    """Read the header of the weights by hand, as the format's documentation shows it."""
    with open(folder / "model.safetensors", "rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
    with contextlib.suppress(ValueError):  # a pickle is found out here, by luck
        json.loads(header)


def list_tensors(folder: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with safe_open(folder / "model.safetensors", "np") as file:
        list(file.keys())
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 50 * 1024:  # kilobytes
        print("it took a lot of memory")


def read_card(folder: Path) -> None:
    """Hand the metadata on as JSON, as an app does."""
    json.dumps(ModelCard.load(folder / "README.md").data.to_dict())


def read_config(folder: Path) -> None:
    json.loads((folder / "config.json").read_text())


def limit_memory() -> None:
    with open("/proc/self/statm") as file:
        room = int(file.read().split()[0]) * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))


if __name__ == "__main__":
    limit_memory()
    try:
        globals()[sys.argv[1]](Path(sys.argv[2]))
    except (MemoryError, RecursionError) as error:
        print(type(error).__name__)
    except Exception as error:
        print(f"an error, which is harmless: {error!r}", file=sys.stderr)
