"""The end of a run: evaluate the best and the last weights, publish the best as a plain Hugging Face folder.

Every file is replaced whole, and run.json comes last with the hashes of the others. A kill in between leaves a run
without `metrics`, which the same command finishes.
"""

import logging
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file

from hf_llm.evaluation.bits_per_byte import LanguageModelScores, evaluate_tokens
from hf_llm.runs.atomic import disk_errors, ordinary_mode, replace, sync_file
from hf_llm.runs.card import write_card
from hf_llm.runs.manifest import hashes
from hf_llm.runs.run import Run
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.checkpointing import load_weights
from hf_llm.training.config import PretrainConfig
from hf_llm.training.figures import loss_figure
from hf_llm.training.loop import TrainingResult
from hf_llm.training.memory import peak_memory_bytes
from hf_llm.training.plan import Plan

logger = logging.getLogger(__name__)


def publish(config: PretrainConfig, inputs, task: CausalLM, run: Run, plan: Plan, result: TrainingResult) -> None:
    """Evaluate and publish; completes `run.manifest` and writes it.

    Raises:
        UserError: When the disk is full or not writable.
    """
    logger.debug("publish")
    progress, model = result.progress, task.model
    stride = config.eval_stride or max(1, task.context // 2)
    last = _score(task, stride) | {"step": progress.step}
    best = last
    if progress.best_step != progress.step:
        load_weights(model, load_file(run.best_weights))
        best = _score(task, stride) | {"step": progress.best_step}
    torch.manual_seed(config.seed)
    sample = task.sample(model)

    records = run.log.records()
    with disk_errors(f"the trained model in {run.folder}"):
        names = _publish_files(run.folder, model, inputs.tokenizer)
        loss_figure(records, run.folder / "figures" / "loss.png", progress.best_step)
    speeds = [record["tokens_per_second"] for record in records[1:]] or [records[0]["tokens_per_second"]]
    tokens_per_second = sorted(speeds)[len(speeds) // 2]
    run.manifest |= {
        "model": {"parameters": model.num_parameters(), "config": inputs.model_config.to_diff_dict()},
        "metrics": {"train": {"loss": progress.train_loss}, "validation": best, "validation_last": last},
        "sample": {"prompt": config.sample_prompt, "text": sample},
        "wall_seconds": round(progress.seconds, 1),
        "tokens_per_second": tokens_per_second,
        "flops_utilisation": round(plan.utilisation(tokens_per_second), 3),
        "peak_memory_bytes": peak_memory_bytes(),
    }
    with disk_errors(f"the model card in {run.folder}"):
        write_card(run.folder, run.manifest)
    run.manifest["files"] = hashes(run.folder, [*names, "README.md", "figures/loss.png", "log.jsonl"])
    run.write_manifest()


def _score(task: CausalLM, stride: int) -> dict:
    """Return the figures on the whole validation part, in fp32."""
    scores: LanguageModelScores = evaluate_tokens(
        task.model, task.validation, task.byte_lengths, stride=stride, context=task.context
    )
    return {
        "loss": scores.loss,
        "perplexity": scores.perplexity,
        "bits_per_byte": scores.bits_per_byte,
        "eval_stride": stride,
    }


def _publish_files(folder: Path, model, tokenizer) -> list[str]:
    """Write model and tokenizer beside the run folder's files, then put each in place. Returns their names."""
    temporary = folder / ".publish"
    shutil.rmtree(temporary, ignore_errors=True)
    model.save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    names = sorted(path.name for path in temporary.iterdir())
    for name in names:
        ordinary_mode(temporary / name)
        sync_file(temporary / name)
        replace(temporary / name, folder / name)
    os.rmdir(temporary)
    return names
