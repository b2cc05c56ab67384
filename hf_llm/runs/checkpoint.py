"""Checkpoints that survive kill -9 and power cuts, and know when they were damaged.

    checkpoints/step-000200/
        model.safetensors        the weights
        optimizer.safetensors    the optimizer's moments
        best.safetensors         the best weights so far, where they are not these
        state.json               step, best loss, patience, length of the log
        manifest.json            size and SHA-256 of each file above, and of itself

A checkpoint is written into a folder with a temporary name, synced file by file, and renamed. Only then are old
ones pruned. Loading goes newest first and falls back over damaged ones. There is no pickle in it.
"""

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import UserError, advice
from hf_llm.runs.atomic import (
    disk_errors,
    file_sha256,
    make_folder,
    ordinary_mode,
    replace,
    sync_file,
    sync_folder,
    to_bytes,
    to_json,
)

logger = logging.getLogger(__name__)

MANIFEST, STATE = "manifest.json", "state.json"


class Damaged(Exception):
    """A checkpoint is not what its manifest says; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint whose files were verified."""

    folder: Path
    state: dict

    @property
    def step(self) -> int:
        return self.state["step"]


def folder_name(step: int) -> str:
    return f"step-{step:06d}"


def save_checkpoint(checkpoints: Path, state: dict, writers: dict[str, Callable[[Path], None]], keep: int) -> Path:
    """Publish a checkpoint of `state["step"]` and prune old ones.

    Args:
        checkpoints: The folder that holds all checkpoints of the run.
        state: JSON-ready values, `step` among them.
        writers: {file name: function that writes it to the path it is given}.
        keep: How many checkpoints to keep, at least 1.

    Returns:
        The folder of the checkpoint.

    Raises:
        UserError: When the disk is full or not writable. What was there before is intact.
    """
    target = checkpoints / folder_name(state["step"])
    temporary = checkpoints / f".{target.name}.tmp"
    with disk_errors(f"the checkpoint of step {state['step']} in {checkpoints}"):
        logger.debug("save")
        make_folder(checkpoints)
        _remove_leftovers(checkpoints)
        try:
            _write_files(temporary, writers, state)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)  # gives a full disk its space back
            raise
        logger.debug("rename")
        replace(temporary, target)
        logger.debug("prune")
        for old in _published(checkpoints)[keep:]:
            _hide(old)
        _remove_leftovers(checkpoints)
    return target


def load_newest(checkpoints: Path) -> Checkpoint | None:
    """Return the newest intact checkpoint, or None where there never was one.

    Falls back over damaged ones with a warning that names the file.

    Raises:
        UserError: When there are checkpoints but all are damaged.
    """
    complaints = []
    for folder in _published(checkpoints):
        try:
            return Checkpoint(folder, verify_checkpoint(folder))
        except Damaged as damage:
            complaints.append(f"{folder.name}/{damage}")
            logger.warning("checkpoint %s is damaged (%s); falling back to the one before", folder.name, damage)
    if complaints:
        anew = advice("move the run folder away to start anew", restart="start anew with {}")
        raise UserError(f"no intact checkpoint in {checkpoints} ({'; '.join(complaints)}){anew}")
    return None


def verify_checkpoint(folder: Path) -> dict:
    """Compare every file with the manifest and return the state.

    Raises:
        Damaged: Names the first file that is missing, of another size or content, or from another step.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = json.loads(content)
        step, files = manifest["step"], manifest["files"]
    except FileNotFoundError:
        raise Damaged(f"{MANIFEST}: missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(f"{MANIFEST}: unreadable") from None
    if content != _sealed(step, files):
        raise Damaged(f"{MANIFEST}: SHA-256 differs")
    if folder_name(step) != folder.name:
        raise Damaged(f"{MANIFEST}: belongs to step {step}")
    for name, expected in files.items():
        try:
            size = (folder / name).stat().st_size
            if size != expected["bytes"]:
                raise Damaged(f"{name}: {size:,} bytes instead of {expected['bytes']:,}")
            if file_sha256(folder / name) != expected["sha256"]:
                raise Damaged(f"{name}: SHA-256 differs")
        except FileNotFoundError:
            raise Damaged(f"{name}: missing") from None
        except OSError as error:
            raise Damaged(f"{name}: unreadable, {error.strerror}") from None
    return json.loads((folder / STATE).read_text(encoding="utf-8"))


def discard_after(checkpoints: Path, step: int) -> None:
    """Remove what a kill left unfinished, and the checkpoints after `step`: resuming found them damaged.

    Were they to stay, pruning would count them, and keep a damaged one in place of an intact one.
    """
    _remove_leftovers(checkpoints)
    for folder in _published(checkpoints):
        if _step(folder) > step:
            _hide(folder)
    _remove_leftovers(checkpoints)


def _write_files(folder: Path, writers: dict[str, Callable[[Path], None]], state: dict) -> None:
    """Create the folder with all files of a checkpoint; they are on the disk when it returns."""
    files = {}
    folder.mkdir(exist_ok=True)  # of a leftover that could not go
    writers = {
        **writers,
        STATE: lambda path: path.write_bytes(to_bytes(to_json(state))),
        MANIFEST: lambda path: path.write_bytes(_sealed(state["step"], files)),
    }
    for name, write in writers.items():
        path = folder / name
        write(path)
        ordinary_mode(path)
        sync_file(path)
        files[name] = {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
    sync_folder(folder)


def _sealed(step: int, files: dict) -> bytes:
    """Return the manifest, which ends with the hash of what precedes it."""
    manifest = {"step": step, "files": files}
    sha256 = hashlib.sha256(to_json(manifest).encode("utf-8")).hexdigest()
    return to_json({**manifest, "sha256": sha256}).encode("utf-8")


def _published(checkpoints: Path) -> list[Path]:
    """Return the checkpoint folders, newest first."""
    folders = [path for path in checkpoints.glob("step-*") if re.fullmatch(r"step-\d+", path.name) and path.is_dir()]
    return sorted(folders, key=_step, reverse=True)


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def _hide(folder: Path) -> None:
    """Take a checkpoint away in one step: a kill must not leave half of one under its name."""
    os.replace(folder, folder.with_name(f".{folder.name}.old"))


def _remove_leftovers(checkpoints: Path) -> None:
    """Remove hidden checkpoints, and what a kill left of unfinished ones.

    Where a file that is still open cannot go (NFS and FUSE give it another name), the next time takes the rest.
    """
    for leftover in checkpoints.glob(".step-*"):
        shutil.rmtree(leftover, ignore_errors=True)
