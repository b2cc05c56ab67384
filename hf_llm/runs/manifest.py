"""run.json, the manifest: what was run, on what, and what came out; enough to repeat it, and to know it again."""

import hashlib
import json
import logging
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hf_llm.config import PLACES, UserError, advice, count_or_share, last_name, quoted, read_back, require, typed
from hf_llm.config.processor import processor_name
from hf_llm.data.content import read_utf8
from hf_llm.runs.atomic import file_sha256
from hf_llm.texts import both

logger = logging.getLogger(__name__)

NAME = "run.json"
PACKAGES = ("torch", "transformers", "tokenizers", "accelerate", "safetensors", "numpy")
# what chooses other kernels or threads beneath torch, and with them other last digits
VARIABLES = (
    "ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_DYNAMIC", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA", "OMP_DYNAMIC", "OMP_THREAD_LIMIT", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE",
)  # fmt: skip
TASKS = {"pretraining": "text-generation", "image-classification": "image-classification"}
# settings that say where things go, not what the numbers are
WITHOUT_EFFECT = (
    "output_dir",
    "report_to",
    "logging_steps",
    "save_steps",
    "save_total_limit",
    "restart",
    "push_to_hub",
    "hub_model_id",
    "hub_private_repo",
    "shard",  # who holds what; as with the number of processes, sums differ in their last digits
    "sample_prompt",  # what the model writes for the eye; its draws have a generator of their own
    "sample_tokens",
)
# Settings of earlier versions, in run folders that lie on people's disks: such a run is resumed and verified as any.
RENAMED = {"max_norm": "max_weight_norm"}  # it was taken for max_grad_norm, which limits gradients
PARTS = ("data", "tokenizer", "base", "model", "environment", "resolved", "files", "metrics", "sample")  # are objects
REMOVED = ("log_samples",)  # wrote which samples each process saw; the batch plan says it without a file


def new_manifest(job: str, config: dict, world_size: int, **inputs: dict) -> dict:
    """Return the manifest of a run that begins.

    Args:
        job: Name of the recipe, by which `verify` repeats the run.
        config: The settings, JSON-ready, `seed` among them.
        world_size: Number of processes.
        inputs: What goes in: `data` with its SHA-256, a `tokenizer` and the `base` model where there is one.
    """
    return {
        "job": job,
        "command": command_line(),
        "config": config,
        "seed": config["seed"],
        **inputs,
        "environment": environment(),
        "commit": commit(),
        "world_size": world_size,
        "resumed_from": [],
    }


def model_task(manifest: dict) -> str | None:
    """Return what the run's model does, by the Hub's name of the task: a fine-tuned one does what it was told to."""
    job = manifest.get("job")
    return manifest["config"].get("task") if job == "finetuning" else TASKS.get(job)


def environment() -> dict:
    """Return the versions and the machine that the numbers depend on."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "versions": versions,
        "platform": platform.platform(aliased=True),
        "machine": platform.machine(),
        "processor": processor_name(),
        "variables": {name: os.environ[name] for name in VARIABLES if os.environ.get(name)},
    }


def command_line() -> str:
    """Return the command that started this process, as one would type it."""
    return typed(*(sys.argv[0].split() + sys.argv[1:] if sys.argv[0].startswith("hf-llm") else ["python", *sys.argv]))


def command_for_others(command: str) -> str:
    """Return a command as others may see it: where its files lie on this machine is left out."""
    words = (word.partition("=") if word.startswith("--") else ("", "", word) for word in read_back(command))
    return typed(*(name + equals + last_name(value) for name, equals, value in words))


def card_for_others(card: str, manifest: dict) -> str:
    """Return the card of a run as others may see it; one of an earlier version has its command, paths and all."""
    command = manifest.get("command") or ""
    card = card.replace(command, command_for_others(command)) if command else card
    return manifest_for_others({**manifest, "card": card})["card"]


def manifest_for_others(manifest: dict) -> dict:
    """Return a manifest as others may see it: of a place on this machine no more than its last name."""
    shown = {place: last_name(place) for place in sorted(_places(manifest), key=len, reverse=True)}

    def without(value):
        if isinstance(value, dict):
            return {name: without(each) for name, each in value.items()}
        if isinstance(value, list):
            return [without(each) for each in value]
        for place, name in shown.items() if isinstance(value, str) else ():
            value = value.replace(place, name)
        return value

    return without({**manifest, "command": command_for_others(manifest.get("command", ""))})


def _places(manifest: dict) -> set[str]:
    """Return the absolute paths in a manifest: of its settings, and in the names of what went in."""
    values = [value for name, value in manifest["config"].items() if name in PLACES]
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    names = [part.get("name") for part in map(manifest.get, ("data", "base")) if isinstance(part, dict)]
    texts += [part for name in names if isinstance(name, str) for part in name.split(", ")]  # of a corpus of files
    return {text for text in texts if isinstance(text, str) and last_name(text) != text}


def commit() -> str | None:
    """Return the commit of the source, with "+" where the work tree differs from it; None outside a checkout.

    results/ is no source: several measurements in a row write there, each from the same commit.
    """
    source = Path(__file__).parents[2]
    # within a hook of git these name the repository that is committed to, whatever -C says
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*arguments):
        command = ["git", "-C", str(source), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)

    try:
        head = git("rev-parse", "HEAD")
        if head.returncode != 0 or not (source / "pyproject.toml").exists():
            return None
        changed = git(
            "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude,top)results"
        ).stdout.strip()
        return head.stdout.strip() + ("+" if changed else "")
    except (OSError, subprocess.TimeoutExpired):
        return None


def continued(folder: Path, old: dict, new: dict, defaults: dict | None = None) -> dict:
    """Return the manifest with which the run in `folder` goes on, or that of a finished one as it is.

    Args:
        folder: The run folder, for messages.
        old: Its manifest.
        new: The manifest of the call that wants to go on.
        defaults: {setting: value} of this version; a run from before a setting existed was made with its default.

    Raises:
        UserError: When `new` is of another run: other settings that change the numbers, other data or tokenizer.
    """
    before, now = _identity(old, defaults or {}), _identity(new, defaults or {})
    unsaid = {name: value for name, value in now.items() if name.endswith(".sha256") and name not in before}
    changed = differences({**unsaid, **before}, now)  # a hash that the old manifest lacks cannot be compared
    require(
        not changed,
        f"{folder} holds another run ({'; '.join(changed)})"
        f"{advice('move it away', output_dir='name another {}', restart='move it aside with {}')}",
    )
    if "metrics" in old:
        return old
    changed = differences(circumstances(old), circumstances(new))
    if changed:
        logger.warning("the run goes on under other circumstances (%s); its numbers may differ", "; ".join(changed))
    return {**new, **{name: old[name] for name in ("resolved", "commit", "resumed_from") if name in old}}


def _identity(manifest: dict, defaults: dict) -> dict:
    """Return what makes a run this one: settings that change the numbers, and the hashes of what went in."""
    settings = {**defaults, **manifest["config"]}
    settings = {name: value for name, value in settings.items() if name not in WITHOUT_EFFECT}
    if "warmup_steps" in settings:  # of two ways to write it the number of steps counts
        settings["warmup_steps"] = count_or_share(settings["warmup_steps"], settings["max_steps"])
    hashes = {f"{what}.sha256": manifest.get(what, {}).get("sha256") for what in ("data", "tokenizer", "base")}
    return {**settings, **{name: sha256 for name, sha256 in hashes.items() if sha256 is not None}}


def circumstances(manifest: dict) -> dict:
    """Return what else the numbers depend on, None for what the manifest does not say."""
    environment = manifest.get("environment", {})
    return {
        **environment.get("versions", {}),
        **environment.get("variables", {}),
        "machine": environment.get("machine"),
        "processor": environment.get("processor"),
        "world_size": manifest.get("world_size"),
        "commit": manifest.get("commit"),
    }


def differences(old: dict, new: dict) -> list[str]:
    """Name the values that differ between two flat dicts, as "name: old → new"."""
    names = [*old, *(name for name in new if name not in old)]
    return [f"{name}: {old.get(name)} → {new.get(name)}" for name in names if old.get(name) != new.get(name)]


def hashes(folder: Path, names: list[str]) -> dict[str, str]:
    """Return {file name: SHA-256} of files in `folder`."""
    return {name: file_sha256(folder / name) for name in names}


def sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_manifest(folder: Path) -> dict | None:
    """Return run.json, its settings under the names of today, or None where there is none.

    Raises:
        UserError: When the file is there and is not a manifest.
    """
    path, again = Path(folder) / NAME, advice("copy or make the run again", restart="start anew with {}")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(both("data.unreadable", path=path, error=error.strerror)) from None
    text = read_utf8(content, path)
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({quoted(error)}){again}") from None
    require(
        isinstance(manifest, dict) and isinstance(manifest.get("config"), dict),
        f"{path} is not a run's manifest (it has no config){again}",
    )
    config = {RENAMED.get(name, name): value for name, value in manifest["config"].items() if name not in REMOVED}
    manifest = {**manifest, "config": config}
    for name in PARTS:
        if manifest.get(name) is None:  # an earlier version did not know it, or not yet
            manifest.pop(name, None)
        require(
            isinstance(manifest.get(name, {}), dict),
            f"{path} is not a run's manifest (its {name} is no object){again}",
        )
    return Recorded(manifest, str(path))


class Recorded(dict):
    """What a run.json says, or a part of it. What it does not say is told as a `UserError`: versions add to it.

    >>> Recorded({"data": {}}, "run.json")["data"]["sha256"]
    Traceback (most recent call last):
    hf_llm.config.errors.UserError: run.json says nothing of data.sha256; another version wrote it, …
    """

    def __init__(self, values: dict, file: str, part: str = ""):
        self.file, self.part = file, part
        super().__init__({name: self._read(value, f"{part}{name}.") for name, value in values.items()})

    def _read(self, value, part: str):
        return Recorded(value, self.file, part) if isinstance(value, dict) else value

    def __missing__(self, name: str):
        raise UserError(
            f"{self.file} says nothing of {self.part}{name}; another version wrote it, so make the run again"
        )
