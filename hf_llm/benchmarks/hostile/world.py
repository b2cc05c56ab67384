"""Building a drawn environment in a workspace of its own, and what is typed in it.

    workspace/cwd      where the command is given; the folder under test lies here, unless
    workspace/disk     a disk of its own has it, or
    workspace/home     its name begins with ~
    workspace/inputs   texts; workspace/tmp is TMPDIR, workspace/data the data folder

The folder under test is what a writing command makes and what a reading one reads.
"""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hf_llm.benchmarks.hostile.child import Place
from hf_llm.benchmarks.hostile.draw import FULL, MOUNTED, PATHS, TAKE_A_MODEL, WEAK_DISKS, Environment
from hf_llm.config import SOURCE
from hf_llm.data import read_text

TINY = (
    "--vocab_size=270", "--model=nano", "--n_layer=1", "--n_head=2", "--n_embd=16", "--n_positions=16",
    "--max_steps=4", "--warmup_steps=1", "--total_batch_size=4", "--per_device_train_batch_size=4", "--eval_steps=2",
    "--eval_tokens=64", "--eval_stride=16", "--sample_tokens=2", "--save_steps=2", "--precision=fp32", "--threads=1",
)  # fmt: skip
SETTINGS = {
    "pretrain": TINY,
    "plan": TINY,
    "train_mnist": (
        "--data=digits", "--hidden_sizes", "8", "--max_steps=4", "--eval_steps=2", "--save_steps=2",
        "--precision=fp32", "--threads=1",
    ),
    "train_tokenizer": ("--vocab_size=270",),
    "prepare_corpus": ("--document_separator=.", "--validation_per_mille=300", "--vocab_size=270"),
    "instantiate_gpt2": ("--size=nano",),
    "generate": ("--max_new_tokens=3",),
    "evaluate_lm": ("--eval_tokens=64", "--max_new_tokens=3"),
}  # fmt: skip
DROPPINGS = (".DS_Store", "Thumbs.db", "desktop.ini", "._run.json", "._model.safetensors", ".directory", ".nfs0123")
ROOM = 64 << 20  # bytes of a disk that is not full


@dataclass(frozen=True)
class World:
    """A built environment: how to start the command, and what lies where."""

    place: Place
    workspace: Path
    folder: Path  # under test
    mounted: Path | None


@contextmanager
def built(environment: Environment, model: Path, workspace: Path) -> Iterator[World]:
    """Build an environment, with a copy of the finished run `model`, and take it away again."""
    for name in ("cwd", "disk", "home", "inputs", "tmp", "data", "out"):
        (workspace / name).mkdir(parents=True)
    name = PATHS[environment.path]
    mounts = environment.disk in MOUNTED
    linked = "link" in environment.disk
    base = workspace / ("home" if name.startswith("~") else "disk" if mounts and not linked else "cwd")
    disk = workspace / "disk" if linked else base
    with small_disk(disk, environment) if mounts else _nothing():
        folder = base / name.removeprefix("~/")
        _prepare(environment, folder, workspace, model)
        if environment.disk == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        typed = name if name.startswith("~") else os.path.relpath(folder, workspace / "cwd")
        place = Place(
            words=_words(environment, typed, _text(environment, workspace)),
            folder=str(workspace / "cwd"),
            variables=_variables(environment, workspace),
            weak=WEAK_DISKS.get(environment.disk, {}),
            disk=str(base.resolve()),
            umask=0o077 if environment.variables == "strict umask" else 0o022,
            closed=True,
            entry=environment.variables != "no HOME, no entry",
            streams=_streams(environment, workspace / "out"),
            met=str(workspace / "out" / "met"),
        )
        try:
            yield World(place, workspace, folder, disk if mounts else None)
        finally:
            for path in (workspace, *workspace.rglob("*")):
                if path.is_dir() and not path.is_symlink() and environment.disk != "read-only":
                    path.chmod(0o755)  # for those who are not root
    shutil.rmtree(workspace)


@contextmanager
def small_disk(folder: Path, environment: Environment) -> Iterator[None]:
    """Mount a disk at `folder`: a full one has the drawn room."""
    size = environment.room if environment.disk in FULL else ROOM
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def make_room(disk: Path) -> None:
    """Give a full disk more space."""
    subprocess.run(["mount", "-o", f"remount,size={ROOM}", disk], check=True)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _prepare(environment: Environment, folder: Path, workspace: Path, model: Path) -> None:
    """Put what is there before the command at the place of the folder under test."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    target = folder
    if environment.disk == "a link in a circle":
        folder.symlink_to(folder.name)
        return
    if "link" in environment.disk:
        target = workspace / ("disk" if environment.disk in MOUNTED else "nowhere") / "target"
        folder.symlink_to(target)
        if environment.disk not in MOUNTED:
            return
        target.mkdir()
    if environment.command in TAKE_A_MODEL:
        if target == folder and environment.path == "taken by a file":
            folder.write_text("a file")
        else:
            shutil.copytree(model, target, dirs_exist_ok=True)
            _spoil(target, environment.model)
            if environment.path == "with droppings":
                drop(target)
    elif environment.path == "taken by a file" and target == folder:
        folder.write_text("a file")
    elif environment.path == "with droppings":
        drop(target)
    if environment.disk == "closed":
        (target if environment.command in TAKE_A_MODEL and target.is_dir() else folder.parent).chmod(
            0 if environment.command in TAKE_A_MODEL else 0o555
        )
    if environment.model == "read-only parent":
        folder.parent.chmod(0o555)


def drop(folder: Path) -> None:
    """Leave in a folder what file managers leave."""
    (folder / "@eaDir").mkdir(parents=True)
    (folder / "@eaDir" / "run.json@SynoEAStream").write_bytes(b"\0")
    for name in DROPPINGS:
        (folder / name).write_bytes(b"\0\5\26\7")


def _spoil(folder: Path, model: str) -> None:
    weights, settings = folder / "model.safetensors", folder / "config.json"
    if model == "with droppings":
        drop(folder)
    elif model == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif model == "an LFS pointer":
        weights.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 33008\n")
    elif model == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    elif model == "a mark before the settings":
        settings.write_bytes(b"\xef\xbb\xbf" + settings.read_bytes())
    elif model == "settings are no JSON":
        settings.write_text("{")
    elif model == "closed weights":
        weights.chmod(0)


def _text(environment: Environment, workspace: Path) -> str:
    """Make the text, and return how it is called from the working folder."""
    story, inputs, kind = read_text("sample").text, workspace / "inputs", environment.text
    names = {
        "a Latin-1 name": "caf\udce9.txt", "a name with a dash": "-story.txt", "a name with spaces": "my story;.txt",
        "damaged gzip": "story.txt.gz",
    }  # fmt: skip
    contents = {
        "empty": b"", "one letter": b"a", "only spaces": b" \n" * 50, "Latin-1": story.encode("latin-1", "replace"),
        "UTF-16": story.encode("utf-16"), "binary": bytes(range(256)) * 50,
        "Windows": b"\xef\xbb\xbf" + story.replace("\n", "\r\n").encode(),
        "damaged gzip": gzip.compress(story.encode())[:-200] + bytes(150),
    }  # fmt: skip
    path = inputs / names.get(kind, "story.txt")
    if kind == "a link to nowhere":
        path.symlink_to(inputs / "nowhere.txt")
    elif kind == "a link in a circle":
        path.symlink_to(path.name)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind != "missing":
        path.write_bytes(contents.get(kind, story.encode()))
        path.chmod(0 if kind == "closed" else 0o644)
    return os.path.relpath(path, workspace / "cwd")


def _words(environment: Environment, name: str, text: str) -> list[str]:
    command, settings = environment.command, SETTINGS.get(environment.command, ())
    words = {
        "verify": [f"./{name}" if name.startswith("-") else name],
        "compare_tokenizers": [f"--tokenizers={name}", f"--corpus={text}"],
        "generate": [f"--model={name}"],
        "evaluate_lm": [f"--model={name}", f"--corpus={text}"],
        "prepare_corpus": [f"--output_dir={name}", f"--files={text}"],
        "train_mnist": [f"--output_dir={name}"],
        "instantiate_gpt2": [f"--output_dir={name}"],
    }
    return [command, *words.get(command, [f"--output_dir={name}", f"--corpus={text}"]), *settings]


def _variables(environment: Environment, workspace: Path) -> dict[str, str]:
    variables = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "LANG": "C.UTF-8", "HOME": str(workspace / "home"),
        "TMPDIR": str(workspace / "tmp"), "HF_LLM_DATA_DIR": str(workspace / "data"), "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE",
    }  # fmt: skip
    closed = workspace / "closed"
    if "closed" in environment.variables and "std" not in environment.variables:
        closed.mkdir()
        closed.chmod(0)
    (workspace / "data-file").write_text("")
    changes = {
        "no HOME": {"HOME": None},
        "no HOME, no entry": {"HOME": None},
        "an empty HOME": {"HOME": ""},
        "a HOME that is not there": {"HOME": str(workspace / "nobody")},
        "a closed HOME": {"HOME": str(closed)},
        "TMPDIR is not there": {"TMPDIR": str(workspace / "nowhere")},
        "XDG_CACHE_HOME with a tilde": {"XDG_CACHE_HOME": "~/.cache"},
        "data folder is a file": {"HF_LLM_DATA_DIR": str(workspace / "data-file")},
        "data folder is closed": {"HF_LLM_DATA_DIR": str(closed)},
        "POSIX locale": {"LANG": None, "LC_ALL": "C"},
        "ASCII output": {"PYTHONIOENCODING": "ascii"},
        "broken thread count": {"OMP_NUM_THREADS": "many"},
        "HF_HOME is closed": {"HF_HOME": str(closed)},
    }
    variables |= changes.get(environment.variables, {})
    return {name: value for name, value in variables.items() if value is not None}


def _streams(environment: Environment, out: Path) -> dict[str, str]:
    streams = {"0": os.devnull, "1": str(out / "stdout"), "2": str(out / "stderr")}
    changes = {"stdout is full": {"1": "/dev/full"}, "stdout is closed": {"1": ""}, "no stdin": {"0": ""}}
    return streams | changes.get(environment.variables, {})


def can_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0
