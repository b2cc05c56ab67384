"""From trained weights to a finished run folder: model, figures, card, and last of all run.json.

Every file is replaced whole, and run.json comes last with the hashes of the others. A kill in between leaves a run
without `metrics`, which the same command finishes.
"""

import logging
import shutil
import sys
from io import BytesIO
from pathlib import Path

import psutil
import torch
from matplotlib.figure import Figure
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.config import without_droppings
from hf_llm.models.context import context_length
from hf_llm.runs.atomic import (
    disk_errors,
    file_sha256,
    make_folder,
    ordinary_mode,
    replace,
    sync_file,
    write_bytes,
    write_text,
)
from hf_llm.runs.run import Run
from hf_llm.training.loop import TrainingResult

logger = logging.getLogger(__name__)

CARD, LOG = "README.md", "log.jsonl"


def publish(run: Run, *, parts: list, scores: dict[str, dict], figures: dict[str, Figure], card: str) -> None:
    """Write what a finished run consists of into its folder; completes the manifest with it.

    Args:
        run: The run; its manifest already says how it went (`measured`).
        parts: What is saved by `save_pretrained`: the model with the published weights, tokenizer or image processor.
        scores: Figures of `train`, `validation` (published weights), `validation_last`; perhaps `test`, `baselines`.
        figures: {name: figure}, each to be figures/<name>.png.
        card: README.md.

    Raises:
        UserError: When the disk is full or not writable.
    """
    logger.debug("publish")
    folder = run.folder
    with disk_errors(f"the trained model in {folder}"):
        names = _save_parts(folder, parts)
        for name, figure in figures.items():
            _save_figure(figure, folder / "figures" / f"{name}.png")
    with disk_errors(f"the model card in {folder}"):
        write_text(folder / CARD, card)
    pictures = sorted(f"figures/{name}.png" for name in figures)
    run.manifest |= {
        "metrics": scores,
        "figures": pictures,
        "files": {name: file_sha256(folder / name) for name in [*names, CARD, *pictures, LOG]},
    }
    run.write_manifest()


def plain_parts(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> list:
    """Return the parts of a language model, which say the context wherever plain tools look for it.

    GPT-2 has a learned vector for each position and none beyond: what reads on past the last one ends in an IndexError.
    """
    context = context_length(model)
    if context is not None:
        tokenizer.model_max_length = min(context, tokenizer.model_max_length)  # a classifier may read less
        if model.can_generate():
            model.generation_config.max_length = context  # prompt and new tokens together, where nobody says how many
        if model.config.model_type == "gpt2":
            model.config.n_ctx = context  # transformers reads n_positions; llama.cpp and MLX read this
    return [model, tokenizer]


def measured(run: Run, unit: str, result: TrainingResult) -> dict:
    """Return the manifest's entries on time and memory.

    Args:
        run: The run whose log tells the speed: the median over its lines, without the first.
        unit: What `Task.items` counts: "tokens" or "images".
        result: What came out of the loop.
    """
    name = f"{unit}_per_second"
    records = run.log.records()
    speeds = sorted(record[name] for record in records[1:] or records)
    return {
        "wall_seconds": round(result.progress.seconds, 1),
        name: speeds[len(speeds) // 2],
        "peak_memory_bytes": peak_memory_bytes(),
    }


def peak_memory_bytes() -> int:
    """Return the most resident bytes that this process has held; on a GPU, what torch allocated there."""
    if torch.cuda.is_initialized():  # not where a launcher said --cpu
        return torch.cuda.max_memory_allocated()
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    if sys.platform == "linux":  # ru_maxrss would be that of the parent where it was larger: it survives exec
        status = Path("/proc/self/status").read_text().split()
        return int(status[status.index("VmHWM:") + 1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def _save_parts(folder: Path, parts: list) -> list[str]:
    """Save the parts beside the run folder's files, then put each file in place. Returns their names."""
    temporary = folder / ".publish"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for part in parts:
            part.save_pretrained(temporary)
        names = [path.name for path in without_droppings(temporary.iterdir())]
        for name in names:
            ordinary_mode(temporary / name)
            sync_file(temporary / name)
        for name in names:
            replace(temporary / name, folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # gives a full disk its space back
    return names


def _save_figure(figure: Figure, path: Path) -> None:
    make_folder(path.parent)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=140)
    write_bytes(path, content.getvalue())
