"""The loss of a GPT-2 with many tokens and a wide vocabulary on a CPU: output head and cross-entropy in one.

Autograd keeps the logits, their fp32 copy and the logarithms of their softmax: of 1,024 tokens of GPT-2, 1,024 × 50,257
numbers each, 0.5 GB, and the backward pass needs as much again. But the gradient of a cross-entropy by its logits is
softmax(logits) - one-hot(label): known as soon as the logits are, it takes their place, and the gradients of the head
and of the hidden states are computed from it at once. The method is Liger Kernel's (Hsu et al. 2024), which has it for
GPUs alone; torch's own `linear_cross_entropy` takes 14 s on a CPU for what takes one without it.
"""

import torch
from torch.autograd.function import once_differentiable
from transformers import GPT2LMHeadModel
from transformers.modeling_outputs import CausalLMOutputWithCrossAttentions

ROWS = 1024  # tokens whose logits are there at once; with fewer, the head's gradient is added up more often
CACHED = 16  # tokens whose logits, in fp32, stay in the processor's cache
WORTH_IT = 2**24  # logits of a micro-batch; with fewer, the usual way is as fast


def forward_to_loss(model: GPT2LMHeadModel, input_ids: torch.Tensor, shift_labels: torch.Tensor, **more):
    """Be the forward pass of a GPT-2 whose loss alone is asked for; where chunks do not pay, be the usual one.

    Args:
        model: The model.
        input_ids: (B, T).
        shift_labels: What follows each of them, (B, T).
        more: What else `GPT2LMHeadModel.forward` takes; `num_items_in_batch` divides the sum of the losses.
    """
    wide = input_ids.numel() * model.config.vocab_size >= WORTH_IT and input_ids.device.type == "cpu"
    plain = more.keys() == {"labels", "use_cache", "num_items_in_batch"}  # no mask, no positions of one's own
    if not wide or not plain or (shift_labels < 0).any():  # -100 is left out of a loss
        return type(model).forward(model, input_ids=input_ids, shift_labels=shift_labels, **more)
    hidden = model.transformer(input_ids=input_ids, use_cache=False).last_hidden_state.flatten(0, 1)  # (B·T, width)
    loss = _ChunkedLoss.apply(hidden, model.lm_head.weight, shift_labels.flatten(), more["num_items_in_batch"])
    return CausalLMOutputWithCrossAttentions(loss=loss)


class _ChunkedLoss(torch.autograd.Function):
    """(hidden (N, width), head (vocab, width), labels (N,), n) -> the sum of the losses / n."""

    @staticmethod
    def forward(ctx, hidden, head, labels, n):
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        states, weight = hidden.to(kind), head.to(kind)
        loss, by_head = hidden.new_zeros((), dtype=torch.float32), None
        by_hidden = torch.empty_like(states)
        for start in range(0, len(states), ROWS):
            rows = slice(start, start + ROWS)
            gradient = states[rows] @ weight.T  # as yet the logits, (rows, vocab)
            loss += _to_gradient(gradient, labels[rows], n)
            torch.mm(gradient, weight, out=by_hidden[rows])
            if ctx.needs_input_grad[1]:
                more = (gradient.T @ states[rows]).to(head.dtype)  # (vocab, width)
                by_head = more if by_head is None else by_head.add_(more)
                del more
            del gradient
        ctx.gradients = by_hidden.to(hidden.dtype), by_head
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx, scale):
        by_hidden, by_head = ctx.gradients
        del ctx.gradients  # the second one is as large as the head
        if scale.item() != 1:
            by_hidden.mul_(scale)
            if by_head is not None:  # a frozen head has no gradient
                by_head.mul_(scale)
        return by_hidden, by_head, None, None


def _to_gradient(logits: torch.Tensor, labels: torch.Tensor, n: int) -> torch.Tensor:
    """Replace the logits, (N, vocab), by the gradient of the loss, and return it: the tokens' losses summed, over n."""
    loss = logits.new_zeros((), dtype=torch.float32)
    for start in range(0, len(logits), CACHED):
        rows = slice(start, start + CACHED)
        scores, label = logits[rows].float(), labels[rows, None]
        normaliser = scores.logsumexp(-1, keepdim=True)  # (rows, 1)
        loss += (normaliser - scores.gather(-1, label)).sum()
        probabilities = scores.sub_(normaliser).exp_()
        probabilities.scatter_add_(-1, label, probabilities.new_full((1, 1), -1.0).expand_as(label))
        logits[rows] = probabilities.div_(n)
    return loss / n
