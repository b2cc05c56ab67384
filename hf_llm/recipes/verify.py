"""Was a run made as its manifest says? Repeat it and compare."""

import contextlib
import dataclasses
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hf_llm.config import UserError, library_folder, require
from hf_llm.recipes.classifier import train_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.finetune import finetune
from hf_llm.recipes.finetune_config import FinetuneConfig
from hf_llm.recipes.pretrain import pretrain
from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.manifest import NAME, circumstances, differences, read_manifest
from hf_llm.training.config import PretrainConfig
from hf_llm.training.loop import Stopped

JOBS = {
    "pretraining": (PretrainConfig, pretrain),
    "image-classification": (ClassifierConfig, train_classifier),
    "finetuning": (FinetuneConfig, finetune),
}
TOLERANCE = 1e-3  # relative, of the loss, on another environment
WEIGHTS = "model.safetensors"
LOG = "log.jsonl"  # not of the model: a push leaves it where it is, so that a pulled folder has none


@dataclass(frozen=True)
class Verdict:
    """The answer of `verify`: `identical`, `equal` (within the tolerance, elsewhere) or `different`, and why."""

    answer: Literal["identical", "equal", "different"]
    reasons: list[str]

    def __str__(self) -> str:
        return "\n".join([self.answer, *self.reasons])


def verify(folder: Path) -> Verdict:
    """Check a finished run's files against run.json, repeat the run elsewhere on this disk, compare.

    Raises:
        UserError: When there is no finished run, or its data cannot be found.
    """
    manifest = read_manifest(folder)
    require(manifest is not None and "metrics" in manifest, f"{folder} holds no finished run (no {NAME} with metrics)")
    require(manifest.get("job") in JOBS, f"{folder / NAME} names no job that this version can repeat")
    for name, sha256 in manifest.get("files", {}).items():
        if not (folder / name).is_file():
            if name == LOG:
                continue
            return Verdict("different", [f"{name} is missing"])
        if file_sha256(folder / name) != sha256:
            return Verdict("different", [f"{name} is not the file that the run wrote"])

    weights = folder / WEIGHTS
    require(weights.is_file(), f"{folder} holds no {WEIGHTS}, so there is nothing to compare a repetition with")
    scratch = _scratch(folder.resolve().parent)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what the repetition prints is progress, not the answer
            again = _repeat(manifest, scratch / folder.resolve().name)
    except Stopped:
        raise UserError(f"stopped before {folder} was repeated, so there is no answer; the run is as it was") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    inputs = [
        f"{what} has another SHA-256"
        for what in ("data", "tokenizer", "base")
        if manifest.get(what, {}).get("sha256") not in (None, again.get(what, {}).get("sha256"))
    ]
    if inputs:
        return Verdict("different", inputs)
    published = manifest.get("files", {}).get(WEIGHTS) or file_sha256(weights)
    if published == again["files"][WEIGHTS]:
        return Verdict("identical", [f"{WEIGHTS} {published}"])
    elsewhere = _environment_differences(manifest, again)
    part = "validation" if "loss" in manifest["metrics"].get("validation", {}) else "train"
    losses = [run["metrics"][part]["loss"] for run in (manifest, again)]
    gap = abs(losses[0] - losses[1]) / abs(losses[0] or 1)
    figures = f"{part} loss {losses[0]:.6f} then, {losses[1]:.6f} now ({gap:.1e} relative)"
    if elsewhere and gap <= TOLERANCE:
        return Verdict("equal", [figures, *elsewhere])
    return Verdict("different", [figures, *(elsewhere or ["in the same environment"])])


def _scratch(beside: Path) -> Path:
    """Return a new folder: on the run's disk, which has room for another, unless that is closed to this user."""
    try:
        return Path(tempfile.mkdtemp(prefix="verify-", dir=library_folder(beside)))
    except (OSError, UserError):
        return Path(tempfile.mkdtemp(prefix="verify-"))


def _repeat(manifest: dict, folder: Path) -> dict:
    """Run the manifest's settings into `folder`, with what `auto` was resolved to."""
    config_class, train = JOBS[manifest["job"]]
    known = {field.name for field in dataclasses.fields(config_class)}
    unknown = manifest["config"].keys() - known
    made_by = manifest.get("commit") or "the version that made the run"
    require(not unknown, f"this version has no setting {', '.join(sorted(unknown))}; check out {made_by}")
    config = config_class(**manifest["config"])
    resolved = manifest.get("resolved", {})
    return train(
        dataclasses.replace(
            config,
            output_dir=str(folder),
            precision=resolved.get("precision", config.precision),
            threads=resolved.get("threads", config.threads),
            report_to=[],
            restart=False,
        )
    )


def _environment_differences(then: dict, now: dict) -> list[str]:
    """Name what may explain a small difference: versions, processor, threads, number of processes."""
    names = ("threads", "device")
    old, new = (
        {**circumstances(run), **{name: run.get("resolved", {}).get(name) for name in names}, "commit": None}
        for run in (then, now)
    )
    return differences(old, new)
