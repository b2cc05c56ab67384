"""The job under test: `pretrain` as hf-llm pretrain calls it, on the project's sample, small enough for seconds."""

import hashlib
import json
from pathlib import Path

from hf_llm.planning.matmul_probe import machine_speed
from hf_llm.recipes.pretrain import pretrain
from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.log import TIMES, RunLog
from hf_llm.training.config import PretrainConfig

STEPS = 20


def settings(folder: Path, keep: int = 1) -> PretrainConfig:
    """Return a nano GPT-2 with dropout, two micro-batches a step, a checkpoint each step, an evaluation each fourth."""
    return PretrainConfig(
        output_dir=str(folder), corpus="sample", vocab_size=270, model="nano", n_positions=16, dropout=0.1,
        total_batch_size=4, per_device_train_batch_size=2, max_steps=STEPS, warmup_steps=2, learning_rate=0.03,
        eval_steps=4, eval_tokens=64, eval_stride=16, sample_tokens=1, logging_steps=1,
        save_steps=1, save_total_limit=keep, precision="fp32", threads=1,
    )  # fmt: skip


class PretrainJob:
    """`pretrain` with these settings."""

    steps = STEPS

    def __init__(self):
        # the planner probes the machine once a process, for seconds: here, so that the children find it done
        machine_speed("fp32", 1, "cpu")

    def run(self, folder: Path, keep: int) -> None:
        pretrain(settings(folder, keep))

    def outcome(self, folder: Path) -> dict[str, str]:
        log = RunLog(folder / "log.jsonl").records()
        records = [{name: value for name, value in record.items() if name not in TIMES} for record in log]
        # of what the kill interrupted
        leftovers = sorted(str(path.relative_to(folder)) for path in folder.rglob(".*") if path != folder / ".lock")
        return {
            "model.safetensors": file_sha256(folder / "model.safetensors"),
            "log.jsonl": _sha256(records),
            "leftovers": _sha256(leftovers),
            "finished": _sha256("metrics" in json.loads((folder / "run.json").read_text(encoding="utf-8"))),
        }

    def step(self, folder: Path) -> int:
        return max((int(path.name.removeprefix("step-")) for path in folder.glob("checkpoints/step-*")), default=0)


def _sha256(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8")).hexdigest()
