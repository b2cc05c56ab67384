"""A run folder, held by one process group: open or resume it, log, save checkpoints, publish the result."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import MISSING, asdict, fields
from pathlib import Path

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from safetensors.torch import load_file, save_file

from hf_llm.config import advice, library_folder, require, without_droppings
from hf_llm.runs import lock
from hf_llm.runs.atomic import disk_errors, temporary_name, write_json
from hf_llm.runs.checkpoint import Checkpoint, discard_after, load_newest, save_checkpoint
from hf_llm.runs.log import EMPTY, RunLog
from hf_llm.runs.manifest import NAME, continued, new_manifest, read_manifest

logger = logging.getLogger(__name__)

Tensors = dict[str, torch.Tensor]


class Run:
    """The folder of one training run.

    Args:
        folder: The run folder, held by `hold_run`.
        manifest: What goes into run.json; `config` decides whether an old run is this one.
        keep: How many checkpoints to keep.
        writes: False in all processes but the first: they read the same checkpoint and write nothing.
    """

    def __init__(self, folder: Path, manifest: dict, keep: int, writes: bool = True):
        self.folder, self.manifest, self.keep, self.writes = folder, manifest, keep, writes
        self.log = RunLog(folder / "log.jsonl")
        self.checkpoint: Checkpoint | None = None  # the newest that is intact

    @property
    def finished(self) -> bool:
        """Whether its model has been published."""
        return "metrics" in self.manifest

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

    def resume(self) -> tuple[dict, Tensors, Tensors] | None:
        """Go back to the newest intact checkpoint: what was logged or saved after it is removed.

        Returns:
            The state, the weights and the optimizer's moments that were saved, or None for a run that starts.

        Raises:
            UserError: When there are checkpoints but all are damaged.
        """
        self.checkpoint = load_newest(self.checkpoints)
        state = dict(self.checkpoint.state) if self.checkpoint else {"step": 0, "log": EMPTY}
        mark = state.pop("log", None) or self.log.mark()  # a checkpoint of an earlier version has none
        if self.writes:
            self.log.cut(mark)  # also before the first checkpoint: a kill there leaves lines behind
            with disk_errors(f"the run folder {self.folder}"):
                discard_after(self.checkpoints, state["step"])
        if self.checkpoint is None:
            return None
        self.manifest["resumed_from"] = [*self.manifest.get("resumed_from", []), state["step"]]
        self.write_manifest()
        folder = self.checkpoint.folder
        return state, load_file(folder / "model.safetensors"), load_file(folder / "optimizer.safetensors")

    def save(self, state: dict, model: Tensors, optimizer: Tensors, is_best: bool) -> None:
        """Publish a checkpoint.

        Args:
            state: JSON-ready; holds `step`.
            model: {name: tensor}, the weights.
            optimizer: {name: tensor}, the optimizer's moments.
            is_best: These weights are the best so far; otherwise the best ones are carried over.

        Raises:
            UserError: When the disk is full or not writable. What was there before is intact.
        """
        writers = {
            "model.safetensors": lambda path: save_file(model, path),
            "optimizer.safetensors": lambda path: save_file(optimizer, path),
        }
        if not is_best and self.best_weights is not None:
            best = self.best_weights
            writers["best.safetensors"] = lambda path: shutil.copyfile(best, path)
        state = {**state, "log": self.log.mark()}
        folder = save_checkpoint(self.checkpoints, state, writers, self.keep)
        self.checkpoint = Checkpoint(folder, state)

    def write_manifest(self) -> None:
        """Write run.json, in the process that writes.

        Raises:
            UserError: When the disk is full or not writable.
        """
        if self.writes:
            with disk_errors(str(self.folder / NAME)):
                write_json(self.folder / NAME, self.manifest)


def open_run(job: str, config, processes: PartialState, **inputs: dict) -> AbstractContextManager[Run]:
    """Hold the run folder of a recipe, as `hold_run` does.

    Args:
        job: Name of the recipe, by which `verify` repeats the run.
        config: Its settings, a dataclass with `output_dir`, `seed`, `save_total_limit` and `restart`.
        processes: The processes of this launch.
        inputs: What the manifest says of what goes in: `data` with its SHA-256, a `tokenizer` and
            the `base` model where there is one.

    Raises:
        UserError: As `hold_run`, and for an `output_dir` that `library_folder` refuses.
    """
    manifest = new_manifest(job, asdict(config), processes.num_processes, **inputs)
    folder, limit = library_folder(config.output_dir), config.save_total_limit
    return hold_run(folder, manifest, limit, config.restart, processes, _defaults(config))


def _defaults(config) -> dict:
    """Return the default of each setting of a dataclass."""
    made = {
        each.name: each.default if each.default_factory is MISSING else each.default_factory()
        for each in fields(config)
    }
    return {name: value for name, value in made.items() if value is not MISSING}


@contextmanager
def hold_run(
    folder: Path,
    manifest: dict,
    keep: int,
    restart: bool,
    processes: PartialState | None = None,
    defaults: dict | None = None,
) -> Iterator[Run]:
    """Hold `folder` for a run with `manifest`.

    An interrupted run of the same settings goes on, a finished one comes back with its manifest, `metrics` and all;
    one of other settings is refused, with what differs.

    Args:
        folder: The run folder; it is made where there is none.
        manifest: As `new_manifest` returns it.
        keep: How many checkpoints to keep.
        restart: Move what is there aside and begin anew.
        processes: The processes of this launch. The first one alone looks into the folder, holds the lock and writes;
            the others get the manifest from it, when the run is opened and again when the body ends. None: just one.
        defaults: {setting: value} that a run from before the setting existed was made with.

    Raises:
        UserError: When the folder is in use, not writable, or holds another run.
    """
    first = processes is None or processes.is_main_process
    with lock.hold(folder) if first else nullcontext():
        run = Run(folder, _found(folder, manifest, restart, defaults) if first else manifest, keep, writes=first)
        run.manifest = _from_first(processes, run.manifest)
        yield run
        run.manifest = _from_first(processes, run.manifest)


def _from_first(processes: PartialState | None, manifest: dict) -> dict:
    """Return the first process's manifest."""
    return manifest if processes is None else broadcast_object_list([manifest])[0]


def _found(folder: Path, manifest: dict, restart: bool, defaults: dict | None) -> dict:
    """Return the manifest of the run that `folder` holds, or `manifest` for a run that begins."""
    if restart:
        with disk_errors(f"the old run beside {folder}"):
            move_aside(folder)
    old = read_manifest(folder)
    if old is not None:
        return continued(folder, old, manifest, defaults)
    ours = (*lock.NAMES, temporary_name(folder / NAME).name, "figures")
    strangers = [path.name for path in without_droppings(folder.iterdir()) if path.name not in ours]
    require(
        not strangers,
        f"{folder} holds files but no run ({', '.join(strangers[:3])})"
        f"{advice('move them away', output_dir='name another {}')}",
    )
    return manifest


def move_aside(folder: Path) -> None:
    """Move the run in `folder`, all but its lock and the droppings of file managers, into a sibling `<name>.1`, `.2`, …

    The files gather in a hidden sibling, run.json last, which is then renamed: a kill on the way leaves what the
    same command finishes, and never half a run under a visible name.
    """
    moving = folder.with_name(f".{folder.name}.moving")
    if not (folder / NAME).exists() and not moving.exists():
        return
    moving.mkdir(exist_ok=True)
    files = [path for path in without_droppings(folder.iterdir()) if path.name not in lock.NAMES]
    for path in sorted(files, key=lambda path: path.name == NAME):
        path.replace(moving / path.name)
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    moving.replace(aside)
    logger.warning("the old run was moved to %s", aside)
