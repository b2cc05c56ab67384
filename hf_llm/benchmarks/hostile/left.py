"""What a command left: outside of its folder nothing, and inside of it nothing that is half written."""

import json
import os
import re
from pathlib import Path

from hf_llm.benchmarks.hostile.draw import WRITERS, Environment
from hf_llm.benchmarks.hostile.world import World
from hf_llm.config import UserError, is_dropping
from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.lock import NAMES
from hf_llm.runs.manifest import read_manifest

# a library's own: caches in the home folder, and what it keeps where temporary files go until the process ends
ALLOWED = re.compile(r"out/.*|home/\.(cache|config|triton|matplotlib)(/.*)?|tmp/(matplotlib-|torchinductor_).*")


def found_below(world: World) -> dict[str, tuple]:
    """Return {path: kind, size, time} of everything in the workspace but the folder under test."""
    found, own = {}, {os.path.realpath(world.folder), str(world.folder)}
    for parent, folders, files in os.walk(world.workspace):
        folders[:] = [name for name in folders if os.path.join(parent, name) not in own]
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            if path not in own:
                stat = os.lstat(path)
                changes = () if name in folders else (stat.st_size, stat.st_mtime_ns)
                found[os.path.relpath(path, world.workspace)] = (stat.st_mode, *changes)
    return found


def outside(world: World, before: dict[str, tuple]) -> str:
    """Return what changed outside of the folder under test, or an empty text."""
    after = found_below(world)
    # folders on the way to the folder under test may be new
    way = {os.path.relpath(parent, world.workspace) for parent in (world.folder, *world.folder.parents)}
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    strange = sorted(path for path in changed if not ALLOWED.fullmatch(path) and path not in way)
    return f"left or changed something outside: {strange[:3]}" if strange else ""


def half_written(environment: Environment, world: World, done: bool) -> str:
    """Return what is half written in the folder under test, or an empty text."""
    folder = world.folder
    if environment.command not in WRITERS or not os.path.isdir(folder):
        missing = done and environment.command in WRITERS
        return "done, and nothing is there" if missing else ""
    names = {name for name in os.listdir(folder) if not is_dropping(name)} - set(NAMES)
    if not names:
        return "done, and nothing is there" if done else ""
    hidden = [path for path in Path(folder).rglob(".*") if path.name not in NAMES and not is_dropping(path.name)]
    if hidden:
        return f"left {hidden[0].relative_to(folder)}"
    try:
        return CHECKS[environment.command](Path(folder), done) or ""
    except Exception as error:  # whatever a library says of a file that is not whole
        return f"what is there does not load: {type(error).__name__}: {error}"


def _run(folder: Path, done: bool) -> str | None:
    manifest = read_manifest(folder)
    if (folder / "model.safetensors").exists():
        _model(folder, done)
    if not (manifest or {}).get("metrics"):
        return "done, and the manifest has no metrics" if done else None
    for name, sha256 in manifest["files"].items():
        if file_sha256(folder / name) != sha256:
            return f"{name} is not what the manifest says"
    return None


def _model(folder: Path, done: bool) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageClassification

    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    classifies = "ImageClassification" in kind["architectures"][0]
    load = AutoModelForImageClassification if classifies else AutoModelForCausalLM
    AutoConfig.from_pretrained(folder)
    _, report = load.from_pretrained(folder, output_loading_info=True)
    if report["missing_keys"]:
        raise UserError(f"weights are missing: {report['missing_keys']}")


def _tokenizer(folder: Path, done: bool) -> None:
    from hf_llm.tokenization.tokenizer import load_tokenizer

    load_tokenizer(folder)


def _corpus(folder: Path, done: bool) -> None:
    from hf_llm.tokenization.corpus import load_corpus
    from hf_llm.tokenization.tokenizer import load_tokenizer

    load_corpus(folder, load_tokenizer(folder))


CHECKS = {
    "pretrain": _run, "train_mnist": _run, "train_tokenizer": _tokenizer, "prepare_corpus": _corpus,
    "instantiate_gpt2": _model,
}  # fmt: skip
