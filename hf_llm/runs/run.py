"""A run folder, held by one process group: open or resume it, log, save checkpoints, publish the result."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import load_file, save_file

from hf_llm.config import require
from hf_llm.runs import lock
from hf_llm.runs.atomic import disk_errors, temporary_name, write_json
from hf_llm.runs.checkpoint import Checkpoint, discard_after, load_newest, save_checkpoint
from hf_llm.runs.log import EMPTY, RunLog
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

    def resume(self, load: Callable[[dict, dict], None]) -> dict | None:
        """Find the newest intact checkpoint, give its tensors to `load(model, optimizer)`, return its state.

        Returns:
            The state that was saved, or None for a run that starts.

        Raises:
            UserError: When there are checkpoints but all are damaged.
        """
        self.checkpoint = load_newest(self.checkpoints)
        state = dict(self.checkpoint.state) if self.checkpoint else {"step": 0, "log": EMPTY}
        mark = state.pop("log")
        if self.writes:
            self.log.cut(mark)  # also before the first checkpoint: a kill there leaves lines behind
            with disk_errors(f"the run folder {self.folder}"):
                discard_after(self.checkpoints, state["step"])
        if self.checkpoint is None:
            return None
        self.manifest["resumed_from"] = [*self.manifest.get("resumed_from", []), state["step"]]
        if self.writes:
            self.write_manifest()
        folder = self.checkpoint.folder
        load(load_file(folder / "model.safetensors"), load_file(folder / "optimizer.safetensors"))
        return state

    def save(self, state: dict, model: dict, optimizer: dict, is_best: bool) -> None:
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
        """Write run.json.

        Raises:
            UserError: When the disk is full or not writable.
        """
        with disk_errors(str(self.folder / NAME)):
            write_json(self.folder / NAME, self.manifest)


@contextmanager
def open_run(folder: Path, manifest: dict, keep: int, restart: bool, first_process: bool = True) -> Iterator[Run]:
    """Hold `folder` for a run with `manifest`.

    An interrupted run of the same settings goes on, a finished one comes back with its manifest, `metrics` and all;
    one of other settings is refused, with what differs.

    Args:
        restart: Move what is there aside and begin anew.
        first_process: Only this one looks into the folder, holds the lock and writes; it tells the others the manifest.

    Raises:
        UserError: When the folder is in use, not writable, or holds another run.
    """
    folder = Path(folder)
    if not first_process:
        yield Run(folder, manifest, keep, writes=False)
        return
    with lock.hold(folder):
        if restart:
            with disk_errors(f"the old run beside {folder}"):
                move_aside(folder)
        old = read_manifest(folder)
        if old is not None:
            _require_same_run(folder, old, manifest)
            manifest = _continued(old, manifest)
        else:
            ours = (lock.NAME, temporary_name(folder / NAME).name, "figures")
            strangers = sorted(path.name for path in folder.iterdir() if path.name not in ours)
            require(
                not strangers,
                f"{folder} holds files but no run ({', '.join(strangers[:3])}); name another --output_dir",
            )
        yield Run(folder, manifest, keep)


def move_aside(folder: Path) -> None:
    """Move the run in `folder`, all but its lock, into a sibling `<name>.1`, `.2`, …

    The files gather in a hidden sibling, run.json last, which is then renamed: a kill on the way leaves what the
    same command finishes, and never half a run under a visible name.
    """
    moving = folder.with_name(f".{folder.name}.moving")
    if not (folder / NAME).exists() and not moving.exists():
        return
    moving.mkdir(exist_ok=True)
    files = [path for path in folder.iterdir() if path.name != lock.NAME]
    for path in sorted(files, key=lambda path: path.name == NAME):
        path.replace(moving / path.name)
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    moving.replace(aside)
    logger.warning("the old run was moved to %s", aside)


def _require_same_run(folder: Path, old: dict, new: dict) -> None:
    changed = differences(_identity(old), _identity(new))
    require(
        not changed,
        f"{folder} holds another run ({'; '.join(changed)}); "
        "name another --output_dir, or move it aside with --restart",
    )


def _identity(manifest: dict) -> dict:
    """Return what makes a run this one: settings that count, and the hashes of what went in."""
    return {
        **what_counts(manifest["config"]),
        "data.sha256": manifest.get("data", {}).get("sha256"),
        "tokenizer.sha256": manifest.get("tokenizer", {}).get("sha256"),
    }


def _continued(old: dict, new: dict) -> dict:
    """Return the manifest of a run that goes on, or of the finished one."""
    if "metrics" in old:
        return old
    changed = differences(_circumstances(old), _circumstances(new))
    if changed:
        logger.warning("the run goes on under other circumstances (%s); its numbers may differ", "; ".join(changed))
    return {**new, **{name: old[name] for name in ("resolved", "commit", "resumed_from") if name in old}}


def _circumstances(manifest: dict) -> dict:
    """Return what else the numbers depend on."""
    environment = manifest.get("environment", {})
    return {
        **environment.get("versions", {}),
        "processor": environment.get("processor"),
        "world_size": manifest.get("world_size"),
        "commit": manifest.get("commit"),
    }
