"""From the Hub to a folder that appears whole, verified and harmless, or not at all.

    name → commit → list of files → settings, card → are they what they should be? → weights → every hash → folder

A download by hand compares sizes at most. Here each file's SHA-256, or Git's hash of it, is the one that the commit
names; and what a stranger's model could do when it is loaded is looked for before it has a place where it would be.
"""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import hf_hub_download

from hf_llm.config import UserError, require, typed, where_possible, without_droppings, written
from hf_llm.hub.client import FIRST_ANSWER, RemoteFile, connect, files_at
from hf_llm.hub.config import COMMIT, PullConfig
from hf_llm.hub.failures import hub_errors
from hf_llm.hub.safety import KINDS, check_content, check_names, check_size, kind_of
from hf_llm.models.foreign_code import named_code, require_own_code
from hf_llm.runs.atomic import disk_errors, make_folder, replace, sync_file, sync_folder

MOST_FILES = 1_000  # of a model; the largest have some two hundred


@dataclass(frozen=True)
class Pulled:
    """What a pull gave.

    Attributes:
        commit: The commit that the folder is a copy of.
        files: {path: bytes} of what it holds.
        left_out: What the repository holds besides.
    """

    commit: str
    files: dict[str, int]
    left_out: list[str]


def pull(config: PullConfig) -> Pulled:
    """Copy a model or a tokenizer from the Hub into a new folder.

    Raises:
        UserError: When the folder is taken, the Hub cannot be reached or refuses, a file is not the one that the
            commit names, or the model could do more than compute. There is no folder then.
    """
    target = Path(config.dir)
    _require_free(target)
    with _new_folder(target) as folder:
        with hub_errors(f"{config.repo_id} was not pulled", config.command):
            api = connect()
            commit = api.model_info(config.repo_id, revision=config.revision, timeout=FIRST_ANSWER).sha
            there = files_at(api, config.repo_id, commit)
        require(
            not COMMIT.fullmatch(config.revision or "") or commit == config.revision,
            f"the Hub gave commit {commit} of {config.repo_id} for {config.revision}; nothing was fetched",
        )
        wanted = _wanted(config, there)
        weights = [path for path in wanted if kind_of(path) == "weights"]
        _fetch(config, commit, [wanted[path] for path in sorted(wanted.keys() - weights)], folder)
        _refuse_code(config, commit, folder, wanted)  # now all that could make the weights useless is known
        _fetch(config, commit, [wanted[path] for path in sorted(weights)], folder)
    files = {path: file.size for path, file in wanted.items()}
    return Pulled(commit, files, sorted(there.keys() - wanted.keys()))


def _wanted(config: PullConfig, there: dict[str, RemoteFile]) -> dict[str, RemoteFile]:
    """Return the files to fetch, of names and sizes that are as they should be.

    Raises:
        UserError: When they are not, or are neither a model in safetensors nor a tokenizer.
    """
    check_names(config.repo_id, list(there))
    kinds = {path: kind_of(path) for path in there}
    taken = {kind.name for kind in KINDS} - (set() if config.trust_remote_code else {"code"})
    wanted = {path: file for path, file in there.items() if kinds[path] in taken}
    require(len(wanted) <= MOST_FILES, f"{config.repo_id} holds {len(wanted):,} files of a model, which no model does")
    for path, file in wanted.items():
        check_size(config.repo_id, path, file.size)
    total = sum(file.size for file in wanted.values())
    require(
        total <= config.max_gigabytes * 1e9,
        f"{config.repo_id} takes {total / 1e9:.1f} GB; to fetch so much, say "
        f"{written('max_gigabytes')} {total // 10**9 + 1}",
    )
    require(
        "config.json" in wanted or "tokenizer.json" in wanted,
        f"{config.repo_id} holds neither a model (config.json) nor a tokenizer (tokenizer.json)",
    )
    require(
        "config.json" not in wanted or "weights" in map(kinds.get, wanted),
        f"{config.repo_id} has no weights in safetensors; other formats can run code when they are loaded, "
        "and are not fetched",
    )
    return wanted


def _fetch(config: PullConfig, commit: str, files: list[RemoteFile], folder: Path) -> None:
    """Download files into the folder, compare each with its hash, and look into it.

    Raises:
        UserError: When one cannot be had, is another one than the commit names, or not what its name says.
    """
    for file in files:
        path = folder / file.path
        with hub_errors(f"{config.repo_id} was not pulled", config.command):
            hf_hub_download(config.repo_id, file.path, revision=commit, local_dir=folder)
        require(
            path.is_file() and not path.is_symlink() and file.is_same(path),
            f"{config.repo_id} was not pulled: {file.path} came with another hash than its commit names, so it was "
            f"damaged on the way or exchanged; the command to try again: {config.command}",
        )
        check_content(config.repo_id, folder, file.path)


def _refuse_code(config: PullConfig, commit: str, folder: Path, paths: Collection[str]) -> None:
    """Refuse a model that brings code of its own, unless that is what was asked for."""
    classes = named_code(config.repo_id, folder, paths)
    require_own_code(config.repo_id, classes)
    require(
        not classes or config.trust_remote_code,
        f"{config.repo_id} brings Python code of its own ({', '.join(classes)}), which loading it would run; "
        "read it on the Hub first, then: "
        + typed("hf-llm", "hub", "pull", config.repo_id, Path(config.dir), "--trust_remote_code", "--revision", commit),
    )


def _require_free(target: Path) -> None:
    """Raise a `UserError` unless `target` is not there, or an empty folder that can be replaced."""
    try:
        require(not target.is_symlink(), f"{target} is a link; name a folder that is not there yet")
        empty = target.is_dir() and not without_droppings(target.iterdir())
        free = not target.exists() or (empty and target.resolve() != Path.cwd())
    except OSError as error:
        raise UserError(f"{target} cannot be looked into ({error.strerror}); name another folder") from None
    require(free, f"{target} is there already; name a folder that is not, or move it away")


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yield a folder beside `target`, which takes its place when the body ends well and is removed when not.

    Raises:
        UserError: When the disk is full, it cannot be written, or another process was faster.
    """
    parent = target.absolute().parent
    new = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    with disk_errors(f"the folder {target}"):
        make_folder(parent)
        # of a name that nobody knows before, and only ours: in a folder for all, somebody may have put a link there
        hidden = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=parent))
        try:
            folder = hidden / target.name
            folder.mkdir()
            yield folder
            shutil.rmtree(folder / ".cache")  # the client's notes
            for path in sorted(folder.rglob("*"), reverse=True):
                sync_folder(path) if path.is_dir() else sync_file(path)
            sync_folder(folder)
            _require_free(target)  # or another process was faster
            if target.is_dir():
                with where_possible("modes", folder):
                    folder.chmod(target.stat().st_mode & 0o7777)  # as private as the one whose place it takes
                shutil.rmtree(target)  # empty, but for droppings; Windows does not rename over it
            replace(folder, target)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
            for each in new:
                with suppress(OSError):  # one that is in use now
                    each.rmdir()
