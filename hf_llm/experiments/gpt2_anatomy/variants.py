"""A GPT-2 without one of its parts, made by replacing modules of transformers' GPT2LMHeadModel.

>>> shape = {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 8, "vocab_size": 300}
>>> sum(p.numel() for p in gpt2_without("mlp", shape, seed=0).parameters() if p.requires_grad)
7200
"""

import torch
from torch import Tensor, nn
from transformers import GPT2LMHeadModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Block

from hf_llm.models.gpt2 import gpt2_config, new_gpt2

SMALL_WIDTH = 768  # of GPT-2 small
# removed from a GPT-2 of all layers; "sinusoidal" has the fixed positions of Vaswani et al. 2017 for the learned ones
PARTS = ("positions", "sinusoidal", "residuals", "norms", "mlp", "attention")


class WritesNothing(nn.Module):
    """In the place of an MLP: it adds zeros to the residual stream."""

    def forward(self, x: Tensor, **_) -> Tensor:
        return torch.zeros_like(x)  # (B, T, n_embd)


class LooksNowhere(WritesNothing):
    """In the place of an attention, which returns its weights as well: there are none."""

    def forward(self, x: Tensor, **_) -> tuple[Tensor, None]:
        return super().forward(x), None


class BlockWithoutResiduals(nn.Module):
    """A block whose attention and MLP replace the stream instead of adding to it."""

    def __init__(self, block: GPT2Block):
        super().__init__()
        self.block = block

    def forward(self, x: Tensor, past_key_values, attention_mask, _, **kwargs) -> Tensor:
        x, _ = self.block.attn(self.block.ln_1(x), attention_mask=attention_mask)
        return self.block.mlp(self.block.ln_2(x))  # (B, T, n_embd)


def gpt2_without(part: str | None, shape: dict, seed: int) -> GPT2LMHeadModel:
    """Return an untrained GPT-2 without `part`, a name of `PARTS`, or a whole one for None.

    `shape` are arguments of `gpt2_config`. What remains starts from the same weights as in the whole model of the same
    seed; a parameter that nothing reads any more is frozen.
    """
    config = gpt2_config(**shape, dropout=0.0)
    # the deviation 0.02 is meant for GPT-2 small; as wide as this one, its activations would be tiny
    config.initializer_range = 0.02 * (SMALL_WIDTH / config.n_embd) ** 0.5
    model = new_gpt2(config, seed)
    body = model.transformer
    match part:
        case "positions":
            body.wpe.weight.data.zero_()
            body.wpe.requires_grad_(False)
        case "sinusoidal":  # against the tokens as large as in Vaswani et al.: both have a variance of about 1 there
            body.wpe.weight.data = model.config.initializer_range * sinusoids(*body.wpe.weight.shape)
            body.wpe.requires_grad_(False)
        case "residuals":
            body.h = nn.ModuleList(BlockWithoutResiduals(block) for block in body.h)
        case "norms":
            body.ln_f = nn.Identity()
            for block in body.h:
                block.ln_1 = block.ln_2 = nn.Identity()
        case "mlp":
            for block in body.h:
                block.mlp, block.ln_2 = WritesNothing(), nn.Identity()
        case "attention":
            for block in body.h:
                block.attn, block.ln_1 = LooksNowhere(), nn.Identity()
    return model


def sinusoids(positions: int, width: int) -> Tensor:
    """Return the position vectors of Vaswani et al. 2017, section 3.5, shape (positions, width).

    Pairs of a sine and a cosine, each pair slower than the one before: wavelengths from 2π to 10000 · 2π.
    """
    place = torch.arange(positions)[:, None]  # (positions, 1)
    angles = place / 10_000 ** (torch.arange(0, width, 2) / width)  # (positions, width / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]  # (positions, width)


def lift_causal_mask(model: GPT2LMHeadModel) -> GPT2LMHeadModel:
    """Let every token of `model` see the whole window, those after it as well; return the model."""
    for block in model.transformer.h:
        block.attn.is_causal = False  # where no token is padding, transformers leaves the mask to this
    return model
