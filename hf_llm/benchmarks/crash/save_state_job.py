"""For comparison: the same model, batches and steps, saved with accelerate's `save_state` as its guide shows.

https://huggingface.co/docs/accelerate/usage_guides/checkpoint: automatic names, `load_state()` of the newest, the
step in an object registered for checkpointing.
"""

import logging
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration
from safetensors.torch import save_file

from hf_llm.benchmarks.crash.pretrain_job import STEPS, settings
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.runs.atomic import file_sha256
from hf_llm.training.loop import dropout_seed
from hf_llm.training.optimizer import make_optimizer
from hf_llm.training.state import weights

logger = logging.getLogger("hf_llm.benchmarks.crash.save_state")


class Steps(dict):
    """The number of steps done, in every checkpoint."""

    state_dict, load_state_dict = dict.copy, dict.update


class SaveStateJob:
    """A plain accelerate loop that calls `save_state` after each step."""

    steps = STEPS

    def run(self, folder: Path, keep: int | None) -> None:
        config = settings(folder)
        torch.set_num_threads(config.threads)
        project = ProjectConfiguration(str(folder), automatic_checkpoint_naming=True, total_limit=keep)
        accelerator = Accelerator(cpu=True, project_config=project)
        task = make_task(config, *read_inputs(config))
        model, optimizer = accelerator.prepare(task.model, make_optimizer(task.model, config))
        steps = Steps(done=0)
        accelerator.register_for_checkpointing(steps)
        if self.step(folder):
            accelerator.load_state()
            project.iteration = steps["done"]
        while steps["done"] < self.steps:
            logger.debug("train")
            batches = [task.batch(steps["done"], micro_step, 0) for micro_step in range(task.plan.accumulation)]
            n = sum(map(task.items, batches))
            model.train()
            for micro_step, batch in enumerate(batches):
                torch.manual_seed(dropout_seed(config.seed, steps["done"], micro_step, 0))
                accelerator.backward(task.loss(model, batch, n))
            optimizer.step()
            optimizer.zero_grad()
            steps["done"] += 1
            logger.debug("save")
            accelerator.save_state()
        logger.debug("publish")
        save_file(weights(task.model), folder / "model.safetensors")

    def outcome(self, folder: Path) -> dict[str, str]:
        return {"model.safetensors": file_sha256(folder / "model.safetensors")}

    def step(self, folder: Path) -> int:
        """Return the highest number, as `load_state` does, complete or not."""
        return max((int(path.name.split("_")[1]) + 1 for path in folder.glob("checkpoints/checkpoint_*")), default=0)
