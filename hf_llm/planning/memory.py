"""The memory of one training step of GPT-2, from its shapes alone.

A step is followed through the few moments at which memory can be highest. At each of them lives a different mix:

    forward        weights, moments, the activations that the backward pass will need, the logits
    loss           the same; log-probabilities and two gradients of the logits' size
    output head    activations; the first and largest gradient
    first block    activations (recomputed, with gradient checkpointing), temporaries of its backward pass
    last block     all gradients, activations of one block
    embedding      all gradients, and the token embedding's second one: it is also the output head
    evaluation     weights, moments, logits of several windows

What autograd keeps of a block was counted with `torch.autograd.graph.saved_tensors_hooks` on the `GPT2Block` of
transformers; a test does that again. Most of it is `gelu_new`, which is written out in Python and keeps four tensors
of the MLP's width.

Where the optimizer steps inside the backward pass, "all gradients" are the output head's, which waits for the
embedding's, and the one that is being used.
"""

from dataclasses import dataclass

from transformers import GPT2Config

from hf_llm.evaluation.logits import LOGITS
from hf_llm.models.gpt2 import parameter_counts
from hf_llm.training.heap import LARGE_TENSOR

FP32 = 4  # bytes; weights, gradients and moments are fp32 in every precision
# of the parameters' size; Adafactor keeps a row and a column of each matrix, a thousandth of that
OPTIMIZER_TENSORS = {"adamw": 2, "adam": 2, "rmsprop": 1, "sgd": 1, "adafactor": 0}
# What a process grows by in the first step of any model: threads, kernels that oneDNN generates, code loaded when used.
RUNTIME = {"fp32": 27e6, "bf16": 39e6}
# glibc's heap holds tensors of at most 32 MiB, and cannot give the hole of an aligned one to the next of the same size
# (`memalign` looks for more than it returns), nor merge holes across a small tensor that lives on, such as a gradient.
# Measured on some twenty shapes: the heap outgrows what lives in it by so many times a block's activations.
# With gradient checkpointing only those below `LARGE_TENSOR` lie there.
HEAP_TENSOR = {False: 32 * 2**20 + 1, True: LARGE_TENSOR}
HOLES_OF_A_BLOCK = {False: 0.45, True: 0.4}  # without and with gradient checkpointing
HOLES_OF_RECOMPUTING = 1.5
PARTS = ("weights", "gradients", "optimizer", "bf16 copies", "activations", "logits", "temporary")


@dataclass(frozen=True)
class Workload:
    """What one process does in a step.

    Args:
        model: Shape of the GPT-2.
        batch: Samples of a micro-batch, B.
        accumulation: Micro-batches per step.
        precision: "fp32" or "bf16" (autocast).
        gradient_checkpointing: Keep only the input of each block, and compute the block again in the backward pass.
        optimizer: Name of the optimizer.
        optimizer_in_bwd: Each gradient is freed as soon as it is there.
        processes: With several, DDP keeps a second copy of the gradients.
        shard: Each process holds its share of weights, gradients and moments (FSDP2), and for a while whole ones.
        eval_windows: Windows of a batch of the evaluation, and
        eval_scored: how many tokens of each get logits.
        cuda: On a GPU: attention in one kernel, dropout masks of one byte, an allocator without holes.
    """

    model: GPT2Config
    batch: int
    accumulation: int = 1
    precision: str = "fp32"
    gradient_checkpointing: bool = False
    optimizer: str = "adamw"
    optimizer_in_bwd: bool = False
    processes: int = 1
    shard: bool = False
    eval_windows: int = 0
    eval_scored: int = 0
    cuda: bool = False

    @property
    def hidden(self) -> int:
        """Elements of the residual stream: B · T · n_embd."""
        return self.batch * self.model.n_positions * self.model.n_embd

    @property
    def scores(self) -> int:
        """Elements of one block's attention weights: B · n_head · T · T."""
        return self.batch * self.model.n_head * self.model.n_positions**2

    @property
    def logits(self) -> int:
        """Elements of the logits: B · T · vocab."""
        return self.batch * self.model.n_positions * self.model.vocab_size

    @property
    def width(self) -> int:
        """Bytes of an element in the matrix products."""
        return 2 if self.precision == "bf16" else FP32


def block_tensors(work: Workload) -> list[tuple[float, float]]:
    """Return (how many, bytes of each) for the tensors that autograd keeps of one block, without the weights."""
    drop, width, hidden, scores = work.model.attn_pdrop > 0, work.width, work.hidden, work.scores
    mask = 1 if work.cuda else width
    tensors = [
        (2, FP32 * hidden),  # inputs of the two layer norms: the residual stream stays fp32
        (3, width * hidden),  # what the linear layers read: both norms' outputs, the heads' outputs
        (5, width * 4 * hidden),  # MLP, four times as wide: the input of c_proj, and four tensors of gelu_new
        (2 * drop, mask * hidden),  # the two residual dropouts
    ]
    if work.model._attn_implementation == "eager":
        tensors += [(3, width * hidden), (1, FP32 * scores)]  # q, k, v; the softmax stays fp32
        tensors += [(1, mask * scores), (1, width * scores)] if drop else [(width < FP32, width * scores)]
    elif drop and not work.cuda:  # no fused kernel has dropout on a CPU, and the plain one computes in fp32
        tensors += [(3, FP32 * hidden), (3, FP32 * scores)]  # q, k, v; softmax, the dropout's mask and output
    else:
        tensors += [(1, width * 3 * hidden), (2, width * hidden)]  # q, k, v; the output, twice
    return tensors


def block_activations(work: Workload) -> float:
    """Return the bytes that autograd keeps of one block, without the weights."""
    return sum(number * size for number, size in block_tensors(work))


def outer_activations(work: Workload) -> int:
    """Return the bytes that autograd keeps outside the blocks, without the logits: embedding dropout, final norm."""
    drop = work.model.embd_pdrop > 0
    return work.hidden * (FP32 + work.width + (1 if work.cuda else FP32) * drop)


def moments(work: Workload) -> dict[str, dict[str, float]]:
    """Return {moment: {part: bytes}}; the peak is at the moment whose sum is the largest."""
    counts, layers = parameter_counts(work.model), work.model.n_layer
    total, head = counts["total"], counts["token_embedding"]
    in_blocks = counts["attention"] + counts["mlp"]
    block, outer = block_activations(work), outer_activations(work)
    stored = FP32 * work.hidden if work.gradient_checkpointing else block  # a block, between forward and backward
    low = work.width if work.width < FP32 else 0  # bytes of a weight's bf16 copy
    kept_copies = low * (head + (0 if work.gradient_checkpointing else in_blocks))
    accumulated = FP32 * total if work.accumulation > 1 else 0
    # at the end of the backward pass; a block's largest matrix is (n_embd, 4 · n_embd), and Adafactor's update as large
    shares = work.processes if work.shard else 1
    all_at_once = total if shares == 1 or work.accumulation > 1 else 0  # a sharded one is cut up block by block
    gradients = FP32 * (head + 2 * 4 * work.model.n_embd**2 if work.optimizer_in_bwd else all_at_once)
    activations = layers * stored + outer
    recomputed = block if work.gradient_checkpointing else 0
    backward = 12 * work.width * work.hidden  # three tensors of the MLP's width, in the backward pass of gelu_new
    always = {
        "weights": FP32 * total / shares,
        "optimizer": FP32 * OPTIMIZER_TENSORS[work.optimizer] * total / shares,
        "gradients": FP32 * total / shares if work.processes > 1 else 0,  # DDP's buckets; FSDP's own share
    }
    gathered = FP32 * total if shares > 1 else 0  # the whole weights, of which a step needs less than an evaluation

    def moment(**parts: float) -> dict[str, float]:
        named = {name.replace("_", " "): size for name, size in parts.items()}
        held = {part: always.get(part, 0) + named.get(part, 0) for part in PARTS}
        return held | {"temporary": held["temporary"] + gathered}

    return {
        "forward": moment(
            gradients=accumulated,
            bf16_copies=kept_copies,
            activations=activations,
            logits=(2 * FP32 + low) * work.logits,
        ),
        "loss": moment(
            gradients=accumulated, bf16_copies=kept_copies, activations=activations, logits=3 * FP32 * work.logits
        ),
        "output head": moment(
            gradients=accumulated + FP32 * head,
            bf16_copies=kept_copies,
            activations=activations,
            logits=work.width * work.logits,
            temporary=low * head,
        ),
        "first block": moment(
            gradients=max(accumulated, FP32 * head),
            bf16_copies=kept_copies + low * in_blocks / layers,
            activations=activations + recomputed,
            temporary=backward,
        ),
        "last block": moment(
            gradients=gradients,
            bf16_copies=low * in_blocks / layers,
            activations=stored + recomputed,
            temporary=backward,
        ),
        "embedding": moment(gradients=gradients, temporary=2 * FP32 * head),
        "evaluation": moment(  # in fp32: `last_logits` switches autocast off
            logits=2 * FP32 * min(LOGITS, work.eval_windows * work.eval_scored * work.model.vocab_size),
            temporary=work.eval_windows * work.model.n_positions * work.model.n_embd * 22 * FP32,
        ),
    }


def peak(work: Workload) -> float:
    """Return the predicted peak of a process, above what it holds after its imports; on a GPU, of its memory."""
    live = max(sum(parts.values()) for parts in moments(work).values())
    if work.cuda:
        return live
    on_heap = sum(
        number * size for number, size in block_tensors(work) if size < HEAP_TENSOR[work.gradient_checkpointing]
    )
    blocks = HOLES_OF_A_BLOCK[work.gradient_checkpointing] * work.model.n_layer
    blocks += HOLES_OF_RECOMPUTING * work.gradient_checkpointing
    return live + blocks * on_heap + RUNTIME[work.precision]
