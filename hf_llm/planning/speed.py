"""The time of one training step of GPT-2, from its shapes and the machine's probed speed.

    matrix products     their FLOPs at what they reach inside a model: narrower than the probe's, caches shared
    activations         every elementwise operation moves its operands through memory; what autograd keeps counts them
    weights             read forward and backward, their gradients written, clipped, and read by the optimizer
    calls               each operation costs some microseconds even when its tensor is tiny

It is rough: within a factor of about 1.5 on a quiet machine. A small model is bound by calls and memory, a large one
by matrix products; the probe measures each.
"""

from transformers import GPT2Config

from hf_llm.models.gpt2 import parameter_counts
from hf_llm.planning.matmul_probe import Speed
from hf_llm.planning.memory import FP32, Workload, block_activations, outer_activations

# Fitted to steps of GPT-2s from 0.1 M to 774 M parameters on one and two cores of an x86 server.
MATMUL_SHARE = 0.7  # of the probed peak
ACTIVATION_RATE = {"fp32": 2.1, "bf16": 1.5}  # of the rate of gelu_new; bf16 halves the bytes, not the operations
LOGIT_PASSES = 5  # log-softmax, its gradient and the loss's: as much work as so many kept tensors
BLOCK_CALLS = {"fp32": 250, "bf16": 390}  # operations of a block, forward and backward; bf16 adds the casts
STEP_CALLS = 500  # operations outside the blocks, and the loop's own work
WEIGHT_BYTES = {"fp32": 12, "bf16": 24}  # a parameter and micro-batch: read twice, gradient written; bf16 casts
UPDATE_BYTES = 40  # a parameter and step: clipping 12, AdamW reads four tensors and writes three
ADAFACTOR_BYTES = 76  # and Adafactor, which goes over its update, as large as the weights, again and again


def flops_per_token(model: GPT2Config) -> int:
    """Return the floating-point operations of a training token, forward and backward, nothing computed twice.

    Each weight takes part in one multiplication and addition forward and two backward, 6 in all; position embeddings
    are looked up. Attention scores and weighted means add 12 · n_embd per layer and position (Chowdhery et al. 2022,
    PaLM, appendix B).

    >>> flops_per_token(gpt2_config("small", n_positions=256)) / 1e6
    770.4...
    """
    counts = parameter_counts(model)
    return 6 * (counts["total"] - counts["position_embedding"]) + 12 * model.n_layer * model.n_embd * model.n_positions


def step_seconds(work: Workload, speed: Speed) -> float:
    """Return the predicted seconds of an optimizer step of one process."""
    model, parameters = work.model, parameter_counts(work.model)["total"]
    again = 4 / 3 if work.gradient_checkpointing else 1.0  # the forward pass is a third of the work
    tokens = work.batch * model.n_positions
    activations = model.n_layer * block_activations(work) + outer_activations(work)
    micro_batch = (
        again * flops_per_token(model) * tokens / (MATMUL_SHARE * speed.flops)
        + (again * activations + LOGIT_PASSES * FP32 * work.logits)
        / (ACTIVATION_RATE[work.precision] * speed.activation)
        + again * WEIGHT_BYTES[work.precision] * parameters / speed.copy
        + again * model.n_layer * BLOCK_CALLS[work.precision] * speed.call
    )
    update = parameters * (ADAFACTOR_BYTES if work.optimizer == "adafactor" else UPDATE_BYTES) / speed.copy
    return work.accumulation * micro_batch + update + STEP_CALLS * speed.call
