"""A run folder, held by one process group: open or resume it, log, save checkpoints, publish the result."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from safetensors.torch import load_file, save_file

from hf_llm.config import UserError, require
from hf_llm.runs.atomic import copy_file, write_json
from hf_llm.runs.checkpoint import Checkpoint, load_newest, save_checkpoint
from hf_llm.runs.lock import hold
from hf_llm.runs.log import RunLog
from hf_llm.runs.manifest import NAME, differences, read_manifest, what_counts

logger = logging.getLogger(__name__)


class Run:
    """The folder of one training run.

    Args:
        folder: The run folder, held by `open_run`.
        manifest: What goes into run.json; `config` decides whether an old run is this one.
        keep: How many checkpoints to keep.
        writes: False in all processes but the first: they read the same checkpoint and write nothing.
    """

    def __init__(self, folder: Path, manifest: dict, keep: int, writes: bool = True):
        self.folder, self.manifest, self.keep, self.writes = folder, manifest, keep, writes
        self.log = RunLog(folder / "log.jsonl")
        self.checkpoint: Checkpoint | None = None  # the newest that is intact

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def best_weights(self) -> Path | None:
        """File of the best weights so far, in the newest checkpoint."""
        if self.checkpoint is None:
            return None
        best = self.checkpoint.folder / "best.safetensors"
        return best if best.exists() else self.checkpoint.folder / "model.safetensors"

    def resume(self, load: "callable") -> dict | None:
        """Find the newest intact checkpoint, give its tensors to `load(model, optimizer)`, return its state.

        Returns:
            The state that was saved, or None for a run that starts.
        """
        self.checkpoint = load_newest(self.checkpoints)
        if self.checkpoint is None:
            if self.writes:
                self.log.cut(0)  # a kill before the first checkpoint leaves lines behind
            return None
        if self.writes:
            self.log.cut(self.checkpoint.step)
        folder = self.checkpoint.folder
        load(load_file(folder / "model.safetensors"), load_file(folder / "optimizer.safetensors"))
        return self.checkpoint.state

    def save(self, state: dict, model: dict, optimizer: dict, is_best: bool) -> None:
        """Publish a checkpoint.

        Args:
            state: JSON-ready; holds `step`.
            model: {name: tensor}, the weights.
            optimizer: {name: tensor}, the optimizer's moments.
            is_best: These weights are the best so far; otherwise the best ones are carried over.
        """
        writers = {
            "model.safetensors": lambda path: save_file(model, path),
            "optimizer.safetensors": lambda path: save_file(optimizer, path),
        }
        if not is_best and self.best_weights is not None:
            best = self.best_weights
            writers["best.safetensors"] = lambda path: copy_file(best, path)
        self.log.sync()
        folder = save_checkpoint(self.checkpoints, state, writers, self.keep)
        self.checkpoint = Checkpoint(folder, state)

    def write_manifest(self) -> None:
        write_json(self.folder / NAME, self.manifest)


@contextmanager
def open_run(folder: Path, manifest: dict, keep: int, restart: bool, first_process: bool = True) -> Iterator[Run]:
    """Hold `folder` for a run with `manifest`.

    An interrupted run of the same settings goes on; one of other settings is refused, with what differs.

    Args:
        restart: Move what is there aside and begin anew.
        first_process: Only this one holds the lock and writes.

    Raises:
        UserError: When the folder is in use, not writable, or holds another run.
    """
    folder = Path(folder)
    with hold(folder) if first_process else nullcontext():
        old = read_manifest(folder)
        if first_process and restart and old is not None:
            move_aside(folder)
            old = None
        if old is not None:
            changed = differences(
                {**what_counts(old["config"]), **_inputs(old)}, {**what_counts(manifest["config"]), **_inputs(manifest)}
            )
            if changed:
                raise UserError(
                    f"{folder} holds another run ({'; '.join(changed)}); "
                    "name another --output_dir, or move it aside with --restart"
                )
            manifest = {**manifest, **{name: old[name] for name in ("resolved", "commit") if name in old}}
        elif first_process:
            strangers = [path.name for path in folder.iterdir() if path.name not in (".lock", "figures")]
            require(
                not strangers, f"{folder} is not empty ({strangers[0]}, …) and holds no run; name another --output_dir"
            )
        yield Run(folder, manifest, keep, writes=first_process)


def move_aside(folder: Path) -> Path:
    """Rename everything in the run folder but its lock into a sibling `<name>.1`, `.2`, …"""
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    aside.mkdir()
    for path in list(folder.iterdir()):
        if path.name != ".lock":
            path.rename(aside / path.name)
    logger.warning("the old run was moved to %s", aside)
    return aside


def _inputs(manifest: dict) -> dict:
    """The hashes of what went in: the same settings on another text are another run."""
    return {
        "data.sha256": manifest.get("data", {}).get("sha256"),
        "tokenizer.sha256": manifest.get("tokenizer", {}).get("sha256"),
    }
