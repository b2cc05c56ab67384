"""GPT-2 in plain PyTorch: read it from top to bottom, run it with the weights of transformers' GPT2LMHeadModel.

Each token is a vector of `n_embd` numbers, `x`, in the *residual stream*. Every layer reads the stream twice and adds
what it found: attention brings in information from earlier tokens, the MLP works on each token alone. At the end each
vector is compared with the embedding of every token of the vocabulary: the logits score what comes next.

The modules bear the names of the published weights (`h.3.attn.c_attn.weight`). There is no dropout, no cache and no
training: this file is for looking inside. Every intermediate passes through a `hook`, where a caller can `capture` or
`edit` it by its name in `intermediates.py`.

>>> model = GPT2Explained.from_transformers(load_causal_lm("runs/verdict"))
>>> logits, seen = model(input_ids, capture=["layer.3.attention.weights", "layer.*.output"])
>>> def without_head_5(head_output):  # (B, n_head, T, head_size)
...     return head_output.index_fill(1, torch.tensor(5), 0.0)
>>> logits, _ = model(input_ids, edit={"layer.3.attention.head_output": without_head_5})

Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; Vaswani et al. 2017, "Attention Is All
You Need".
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from hf_llm.config import require
from hf_llm.explain.intermediates import matching
from hf_llm.texts import both

Hook = Callable[[str, Tensor], Tensor]
# what transformers' GPT2Config could change, and this file computes in the published way only
PUBLISHED = {
    "activation_function": "gelu_new",
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}


class LayerNorm(nn.Module):
    """Give every vector mean 0 and variance 1, then a learned scale and shift (Ba et al. 2016)."""

    def __init__(self, n_embd: int, eps: float):
        super().__init__()
        self.weight, self.bias, self.eps = nn.Parameter(torch.empty(n_embd)), nn.Parameter(torch.empty(n_embd)), eps

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(-1, keepdim=True)  # (B, T, 1)
        variance = (x - mean).pow(2).mean(-1, keepdim=True)  # (B, T, 1)
        return (x - mean) / torch.sqrt(variance + self.eps) * self.weight + self.bias  # (B, T, n_embd)


class Linear(nn.Module):
    """x W + b. GPT-2 stores W as (inputs, outputs), the transpose of nn.Linear's; transformers calls it Conv1D."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(inputs, outputs)), nn.Parameter(torch.empty(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias  # (B, T, inputs) -> (B, T, outputs)


class Attention(nn.Module):
    """Causal self-attention: each token takes a weighted mean over the values of itself and the tokens before it."""

    def __init__(self, n_embd: int, n_head: int):
        super().__init__()
        self.n_head = n_head
        self.c_attn = Linear(n_embd, 3 * n_embd)  # queries, keys and values of all heads in one product
        self.c_proj = Linear(n_embd, n_embd)

    def forward(self, x: Tensor, hook: Hook, name: str) -> Tensor:
        B, T, n_embd = x.shape
        head_size = n_embd // self.n_head
        q, k, v = self.c_attn(x).split(n_embd, dim=-1)  # (B, T, 3 n_embd) -> 3 × (B, T, n_embd)
        q = hook(f"{name}.q", q.view(B, T, self.n_head, head_size).transpose(1, 2))  # (B, n_head, T, head_size)
        k = hook(f"{name}.k", k.view(B, T, self.n_head, head_size).transpose(1, 2))  # (B, n_head, T, head_size)
        v = hook(f"{name}.v", v.view(B, T, self.n_head, head_size).transpose(1, 2))  # (B, n_head, T, head_size)

        # products of longer vectors are larger: without the root, softmax would give nearly all weight to one token
        scores = hook(f"{name}.scores", q @ k.transpose(-2, -1) / math.sqrt(head_size))  # (B, n_head, T, T)
        future = torch.ones(T, T, dtype=torch.bool, device=x.device).triu(diagonal=1)  # (T, T), True: key after query
        masked_scores = hook(f"{name}.masked_scores", scores.masked_fill(future, -math.inf))  # (B, n_head, T, T)
        weights = hook(f"{name}.weights", masked_scores.softmax(dim=-1))  # (B, n_head, T, T)

        heads = hook(f"{name}.head_output", weights @ v)  # (B, n_head, T, head_size)
        heads = heads.transpose(1, 2).reshape(B, T, n_embd)  # (B, T, n_embd), the heads side by side again
        return hook(f"{name}.output", self.c_proj(heads))  # (B, T, n_embd)


class MLP(nn.Module):
    """Neurons that each look for one direction in a token's vector, and write another where they find it."""

    def __init__(self, n_embd: int, n_inner: int):
        super().__init__()
        self.c_fc = Linear(n_embd, n_inner)
        self.c_proj = Linear(n_inner, n_embd)

    def forward(self, x: Tensor, hook: Hook, name: str) -> Tensor:
        hidden = hook(f"{name}.hidden", self.c_fc(x))  # (B, T, n_inner)
        activation = hook(f"{name}.activation", gelu_new(hidden))  # (B, T, n_inner)
        return hook(f"{name}.output", self.c_proj(activation))  # (B, T, n_embd)


def gelu_new(x: Tensor) -> Tensor:
    """GELU (Hendrycks and Gimpel 2016), in the approximation by tanh that GPT-2 was trained with."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


class Block(nn.Module):
    """One layer: attention, then MLP. Each reads a normalised copy of the stream and adds its answer to it."""

    def __init__(self, n_embd: int, n_head: int, n_inner: int, eps: float):
        super().__init__()
        self.ln_1, self.attn = LayerNorm(n_embd, eps), Attention(n_embd, n_head)
        self.ln_2, self.mlp = LayerNorm(n_embd, eps), MLP(n_embd, n_inner)

    def forward(self, x: Tensor, hook: Hook, name: str) -> Tensor:
        normed = hook(f"{name}.attention.norm", self.ln_1(x))  # (B, T, n_embd)
        x = hook(f"{name}.residual.mid", x + self.attn(normed, hook, f"{name}.attention"))  # (B, T, n_embd)
        normed = hook(f"{name}.mlp.norm", self.ln_2(x))  # (B, T, n_embd)
        return hook(f"{name}.output", x + self.mlp(normed, hook, f"{name}.mlp"))  # (B, T, n_embd)


class GPT2Explained(nn.Module):
    """GPT-2 of any size. Make one with `from_transformers`: the constructor alone leaves the weights unset."""

    def __init__(self, config):
        super().__init__()
        n_embd, n_inner, eps = config.n_embd, config.n_inner or 4 * config.n_embd, config.layer_norm_epsilon
        self.wte = nn.Embedding(config.vocab_size, n_embd)  # a row for each token
        self.wpe = nn.Embedding(config.n_positions, n_embd)  # a row for each place in the context
        self.h = nn.ModuleList(Block(n_embd, config.n_head, n_inner, eps) for _ in range(config.n_layer))
        self.ln_f = LayerNorm(n_embd, eps)

    @classmethod
    def from_transformers(cls, model) -> "GPT2Explained":
        """Return this model on the very tensors of a `GPT2LMHeadModel`: shared, so that training that one shows here.

        Raises:
            UserError: When `model` is not a GPT-2 as published: this file would compute something else.
        """
        kind = model.config.model_type
        require(kind == "gpt2", both("explain.not_gpt2", kind=kind))
        for name, value in PUBLISHED.items():
            found = getattr(model.config, name)
            require(found == value, both("explain.not_published", name=name, value=value, found=found))
        with torch.device("meta"):  # no memory for weights that the next line replaces
            explained = cls(model.config)
        explained.load_state_dict(model.transformer.state_dict(), assign=True)
        return explained.requires_grad_(False)

    def require_head(self, layer: int, head: int = 0) -> None:
        """Raise a `UserError` where there is no such layer or no such head in it."""
        last_layer, last_head = len(self.h) - 1, self.h[0].attn.n_head - 1
        require(0 <= layer <= last_layer, both("explain.no_layer", layer=layer, last=last_layer))
        require(0 <= head <= last_head, both("explain.no_head", head=head, last=last_head))

    def forward(
        self, input_ids: Tensor, capture: Iterable[str] = (),
        edit: dict[str, Tensor | Callable[[Tensor], Tensor]] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:  # fmt: skip
        """Compute the logits, and show or change what lies on the way to them.

        Args:
            input_ids: Token ids, shape (B, T), T at most `n_positions`.
            capture: Names of intermediates, or patterns over them, as `intermediates.matching` takes them.
            edit: For names or patterns, what to go on with instead: a tensor of the same shape, or a function that
                makes one of the tensor that was computed.

        Returns:
            The logits, shape (B, T, vocab_size), and {name: tensor} of what was captured, after any edit.

        Raises:
            UserError: For an unknown name, an edit that changes a shape, or ids that do not fit the model.
        """
        vocab_size, n_positions, n_layer = self.wte.num_embeddings, self.wpe.num_embeddings, len(self.h)
        ids_shape = tuple(input_ids.shape)
        require(len(ids_shape) == 2 and 0 not in ids_shape, f"input_ids must have shape (B, T), not {ids_shape}")
        T = ids_shape[1]
        require(n_positions >= T, both("explain.too_long", tokens=T, context=n_positions))
        fit = int(input_ids.min()) >= 0 and int(input_ids.max()) < vocab_size
        require(fit, both("explain.foreign_ids", last=vocab_size - 1))
        wanted = {name for pattern in capture for name in matching(pattern, n_layer)}
        edits = {name: new for pattern, new in (edit or {}).items() for name in matching(pattern, n_layer)}
        captured = {}

        def hook(name: str, tensor: Tensor) -> Tensor:
            """Every intermediate passes here: it may be replaced, and what the model goes on with may be kept."""
            if name in edits:
                shape, new = tuple(tensor.shape), edits[name]
                tensor = new(tensor) if callable(new) else new
                require(tensor.shape == shape, f"the edit of {name} turned {shape} into {tuple(tensor.shape)}")
            if name in wanted:
                captured[name] = tensor
            return tensor

        places = torch.arange(T, device=input_ids.device)  # (T,)
        token = hook("embedding.token", self.wte(input_ids))  # (B, T) -> (B, T, n_embd)
        position = hook("embedding.position", self.wpe(places))  # (T,) -> (T, n_embd)
        x = hook("embedding.output", token + position)  # (B, T, n_embd)
        for i, block in enumerate(self.h):
            x = block(x, hook, f"layer.{i}")  # (B, T, n_embd)
        x = hook("final_norm", self.ln_f(x))  # (B, T, n_embd)
        logits = hook("logits", x @ self.wte.weight.T)  # (B, T, vocab_size); the head is the token embedding itself
        return logits, captured
