"""What a user would pick instead of our loop: nanoGPT's own model, optimizer and step.

None of its code is here. The variable HF_LLM_NANOGPT names a checkout of it, and without one it takes no part.
"""

import importlib.util
import os
import time
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from types import ModuleType

import torch

from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import PretrainConfig

CHECKOUT = "HF_LLM_NANOGPT"


def checkout() -> Path | None:
    """Return the file of nanoGPT's model, where there is one."""
    path = Path(os.environ.get(CHECKOUT, ""), "model.py")
    return path if os.environ.get(CHECKOUT) and path.is_file() else None


def run_nanogpt(task: CausalLM, config: PretrainConfig, precision: str = "fp32", compile: bool = False) -> list[float]:
    """Train nanoGPT's model of `task.model`'s shape on the batches that our loop would draw, as its own loop does.

    Returns:
        When each step ended, in seconds.
    """
    shape, nanogpt, ends = task.model.config, _imported(checkout()), []
    with redirect_stdout(None):  # it prints how many parameters it has
        model = nanogpt.GPT(
            nanogpt.GPTConfig(
                block_size=shape.n_positions, vocab_size=shape.vocab_size, n_layer=shape.n_layer, n_head=shape.n_head,
                n_embd=shape.n_embd, dropout=shape.resid_pdrop,
            )
        )  # fmt: skip
        betas = (0.9, config.adam_beta2)
        optimizer = model.configure_optimizers(config.weight_decay, config.learning_rate, betas, "cpu")
    step_of = torch.compile(model) if compile else model
    autocast = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext()
    for step in range(config.max_steps):
        batch = task.batch(step, 0, 0)
        with autocast:
            _, loss = step_of(batch["input_ids"], batch["shift_labels"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        ends.append(time.perf_counter())
    return ends


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("nanogpt_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
