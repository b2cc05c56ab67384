"""The strips of the picture are what transformers computes at each place of the opened layer, within 1e-5."""

import pytest
import torch
from transformers import GPT2LMHeadModel

from hf_llm.config import UserError
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.strips import Strips, strips
from hf_llm.models.gpt2 import gpt2_config


@pytest.fixture
def explained(trained):
    return GPT2Explained.from_transformers(trained)


@torch.no_grad()
def by_transformers(model, ids, layer: int, head: int, off: str | None = None) -> dict[str, torch.Tensor]:
    """Return what hooks on transformers' own modules see, by the names of `Strips`."""
    config = gpt2_config("nano", vocab_size=256, n_positions=48, n_layer=3, n_head=4, n_embd=64, attention="eager")
    eager = GPT2LMHeadModel(config).eval()
    eager.load_state_dict(model.state_dict())
    body, block, size = eager.transformer, eager.transformer.h[layer], 64 // 4
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, module, of_input: bool = False):
        def hook(_, inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            seen[name] = (inputs[0] if of_input else output)[0]

        module.register_forward_hook(hook)

    if off in ("head", "heads"):
        gone = torch.arange(head * size, (head + 1) * size) if off == "head" else torch.arange(64)
        block.attn.c_proj.register_forward_pre_hook(lambda _, inputs: (inputs[0].index_fill(-1, gone, 0.0),))
    if off == "mlp":
        block.mlp.register_forward_hook(lambda _, __, output: torch.zeros_like(output))
    for name, module in {
        "token": body.wte, "position": body.wpe, "attention_norm": block.ln_1, "qkv": block.attn.c_attn,
        "projection": block.attn.c_proj, "mlp_norm": block.ln_2, "neurons": block.mlp.act, "mlp_output": block.mlp,
        "output": block, "final_norm": body.ln_f,
    }.items():  # fmt: skip
        keep(name, module)
    for name, module in (("before", block), ("side_by_side", block.attn.c_proj), ("mid", block.ln_2)):
        keep(name, module, of_input=True)
    keep("embedding", body.h[0], of_input=True)
    for i, one in enumerate(body.h):
        keep(f"layer {i}", one)
    found = eager(ids, output_attentions=True)
    q, k, v = (one.view(-1, 4, size)[:, head] for one in seen.pop("qkv").split(64, dim=-1))
    every_head = found.attentions[layer][0]
    future = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).triu(diagonal=1)
    return seen | {
        "q": q, "k": k, "v": v, "product": q @ k.T, "scale": q @ k.T / 4, "every_head": every_head,
        "mask": (q @ k.T / 4).masked_fill(future, -torch.inf), "softmax": every_head[head],
        "mixed": seen["side_by_side"].view(-1, 4, size)[:, head],
        "layers": torch.stack([seen.pop(f"layer {i}") for i in range(3)]), "logits": found.logits[0],
    }  # fmt: skip


@pytest.mark.parametrize("off", [None, "head", "heads", "mlp"])
@pytest.mark.parametrize(("layer", "head"), [(0, 0), (1, 3), (2, 1)])
def test_every_strip_is_transformers(trained, explained, sample_ids, layer, head, off):
    ids = sample_ids[:1, :20]
    expected = by_transformers(trained, ids, layer, head, off)
    found = strips(explained, ids, layer, head, off)
    assert set(expected) == set(Strips._fields)
    for name, tensor in found._asdict().items():
        torch.testing.assert_close(tensor, expected[name], atol=1e-5, rtol=1e-5, msg=f"{name} at {layer}, {head}")


def test_a_head_switched_off_passes_nothing_on(explained, sample_ids):
    whole, without = strips(explained, sample_ids[:1], 1, 2), strips(explained, sample_ids[:1], 1, 2, "head")
    assert whole.mixed.abs().max() > 0
    assert (without.mixed == 0).all()
    torch.testing.assert_close(without.softmax, whole.softmax)
    assert (without.logits - whole.logits).abs().max() > 1e-3


def test_what_is_not_there_gets_a_sentence(explained, sample_ids):
    with pytest.raises(UserError, match="no layer 3"):
        strips(explained, sample_ids[:1], 3, 0)
    with pytest.raises(UserError, match="no head 4"):
        strips(explained, sample_ids[:1], 0, 4)
    with pytest.raises(UserError, match="no component x"):
        strips(explained, sample_ids[:1], 0, 0, "x")
    with pytest.raises(UserError, match="one text at a time"):
        strips(explained, sample_ids, 0, 0)
