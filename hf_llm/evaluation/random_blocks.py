"""nanoGPT's own estimate of the loss: random blocks, every position counts.

Its `estimate_loss` draws `eval_iters` batches of blocks and averages the loss over all positions, the first ones with
next to no context included. It lies above the loss of sliding windows, and is what published nanoGPT figures are.
Source: https://github.com/karpathy/nanoGPT, train.py (`get_batch`, `estimate_loss`).
"""

import numpy as np
import torch
from transformers import PreTrainedModel

from hf_llm.config import require
from hf_llm.evaluation.bits_per_byte import token_losses
from hf_llm.generation.inference import evaluating


@torch.inference_mode()
def random_block_loss(
    model: PreTrainedModel, ids: np.ndarray, context: int, batch_size: int = 12, eval_iters: int = 20, seed: int = 0
) -> float:
    """Return the mean loss in nats per token over `eval_iters` batches of random blocks.

    Args:
        model: Any causal LM of transformers; its train or eval mode is kept.
        ids: Token ids of the split, shape (N,).
        context: Tokens a block.
        batch_size, eval_iters: Blocks a batch, and batches; those of nanoGPT's CPU recipe.
        seed: Of the blocks' places, drawn by a generator of their own.

    Raises:
        UserError: When the text is shorter than a block and its next token.
    """
    require(len(ids) > context, f"the text has {len(ids)} tokens; a block of {context} needs {context + 1}")
    generator = np.random.default_rng(seed)
    losses = []
    with evaluating(model):
        for _ in range(eval_iters):
            starts = generator.integers(len(ids) - context, size=batch_size)
            rows = ids[starts[:, None] + np.arange(context + 1)].astype(np.int64)  # (B, context + 1)
            windows = torch.from_numpy(rows).to(model.device)
            losses.append(token_losses(model, windows, context).double().mean().item())
    return float(np.mean(losses))
