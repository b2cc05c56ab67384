"""What a user would pick instead of our loop: `transformers.Trainer` on the same model and the same windows."""

import tempfile
import time

from transformers import Trainer, TrainerCallback, TrainingArguments

from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import PretrainConfig


class _Recorder(TrainerCallback):
    def __init__(self):
        self.ends, self.losses = [], []

    def on_step_end(self, *_, **__):
        self.ends.append(time.perf_counter())

    def on_log(self, _arguments, _state, _control, logs, **_others):
        self.losses += [logs["loss"]] if "loss" in logs else []


def run_trainer(task: CausalLM, config: PretrainConfig, **more) -> tuple[list[float], list[float]]:
    """Train `task.model` on the batches that our loop would draw; `more` are TrainingArguments.

    Returns:
        When each step ended, in seconds, and the losses that were logged.
    """
    batches, size = [task.batch(step, 0, 0) for step in range(config.max_steps)], config.total_batch_size
    samples = [{name: tensor[row] for name, tensor in batch.items()} for batch in batches for row in range(size)]
    recorder = _Recorder()
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, max_steps=config.max_steps, per_device_train_batch_size=size, use_cpu=True,
            learning_rate=config.learning_rate, warmup_steps=config.warmup, weight_decay=config.weight_decay,
            adam_beta2=config.adam_beta2, save_strategy="no", report_to="none", remove_unused_columns=False,
            disable_tqdm=True, train_sampling_strategy="sequential", **more,
        )  # fmt: skip
        Trainer(model=task.model, args=arguments, train_dataset=samples, callbacks=[recorder]).train()
    return recorder.ends, recorder.losses
