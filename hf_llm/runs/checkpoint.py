"""Checkpoints that survive kill -9 and power cuts, and know when they were damaged.

    checkpoints/step-000200/
        model.safetensors        the weights
        optimizer.safetensors    the optimizer's moments
        best.safetensors         the best weights so far, where they are not these
        state.json               step, best loss, patience, config
        manifest.json            size and SHA-256 of each file above

A checkpoint is written into a folder with a temporary name, synced file by file, and renamed. Only then are old
ones pruned. Loading goes newest first and falls back over damaged ones. There is no pickle in it.
"""

import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import UserError
from hf_llm.runs.atomic import file_sha256, ordinary_mode, replace, sync_file, sync_folder, to_json, write_json

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

    Raises:
        UserError: When the disk is full or not writable. What was there before is intact.
    """
    logger.debug("save")
    target = checkpoints / folder_name(state["step"])
    temporary = checkpoints / f".{target.name}.tmp"
    try:
        checkpoints.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(checkpoints)
        temporary.mkdir()
        for name, write in writers.items():
            write(temporary / name)
            ordinary_mode(temporary / name)
            sync_file(temporary / name)
        write_json(temporary / STATE, state)
        files = {
            name: {"bytes": (temporary / name).stat().st_size, "sha256": file_sha256(temporary / name)}
            for name in [*writers, STATE]
        }
        write_json(temporary / MANIFEST, {"step": state["step"], "files": files})
        sync_folder(temporary)
    except Exception as error:  # safetensors reports a full disk with an exception class of its own
        if not isinstance(error, OSError) and "os error" not in str(error).lower():
            raise
        shutil.rmtree(temporary, ignore_errors=True)
        raise UserError(
            f"the checkpoint of step {state['step']} could not be written to {checkpoints} ({error}); "
            "the ones before it are intact; make room, then run the same command again to resume"
        ) from None
    logger.debug("rename")
    if target.exists():  # a damaged one that resuming fell back over
        os.replace(target, checkpoints / f".{target.name}.old")
    replace(temporary, target)
    logger.debug("prune")
    for old in _complete(checkpoints)[keep:]:
        os.replace(old, checkpoints / f".{old.name}.old")  # a kill must not leave half of one under its name
    _remove_leftovers(checkpoints)
    return target


def load_newest(checkpoints: Path) -> Checkpoint | None:
    """Return the newest intact checkpoint, or None where there never was one.

    Falls back over damaged ones with a warning that names the file.

    Raises:
        UserError: When there are checkpoints but all are damaged.
    """
    complaints = []
    for folder in _complete(checkpoints):
        try:
            state = verify_checkpoint(folder)
        except Damaged as damage:
            complaints.append(f"{folder.name}/{damage}")
            logger.warning("checkpoint %s is damaged (%s); falling back to the one before", folder.name, damage)
            continue
        return Checkpoint(folder, state)
    if complaints:
        raise UserError(f"no intact checkpoint in {checkpoints} ({'; '.join(complaints)}); start anew with --restart")
    return None


def verify_checkpoint(folder: Path) -> dict:
    """Compare every file with the manifest and return the state.

    Raises:
        Damaged: Names the first file that is missing, of another size or content, or from another step.
    """
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        manifest = json.loads(text)
        files = {name: (entry["bytes"], entry["sha256"]) for name, entry in manifest["files"].items()}
        step = manifest["step"]
    except FileNotFoundError:
        raise Damaged(f"{MANIFEST}: missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(f"{MANIFEST}: unreadable") from None
    if to_json(manifest) != text:
        raise Damaged(f"{MANIFEST}: not as it was written")
    if folder_name(step) != folder.name:
        raise Damaged(f"{MANIFEST}: belongs to step {step}")
    for name, (size, sha256) in files.items():
        path = folder / name
        if not path.is_file():
            raise Damaged(f"{name}: missing")
        if path.stat().st_size != size:
            raise Damaged(f"{name}: {path.stat().st_size:,} bytes instead of {size:,}")
        if file_sha256(path) != sha256:
            raise Damaged(f"{name}: SHA-256 differs")
    return json.loads((folder / STATE).read_text(encoding="utf-8"))


def _complete(checkpoints: Path) -> list[Path]:
    """Return the published checkpoint folders, newest first."""
    return sorted(checkpoints.glob("step-*"), key=lambda path: int(path.name.split("-")[1]), reverse=True)


def _remove_leftovers(checkpoints: Path) -> None:
    """Remove what a kill left of unfinished or pruned checkpoints."""
    for leftover in checkpoints.glob(".step-*"):
        shutil.rmtree(leftover)
