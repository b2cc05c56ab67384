"""The loss without logits is the usual one, and so are its gradients."""

import pytest
import torch

from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.training import chunked_loss
from hf_llm.training.chunked_loss import forward_to_loss


@pytest.fixture
def model():
    return new_gpt2(gpt2_config("nano", vocab_size=300, n_positions=32, n_layer=2, dropout=0.0), seed=0)


@pytest.fixture
def batch():
    tokens = torch.randint(300, (3, 33), generator=torch.Generator().manual_seed(0))
    inputs, follow = tokens[:, :-1], tokens[:, 1:].contiguous()  # (B, T)
    return {
        "input_ids": inputs,
        "labels": inputs,
        "shift_labels": follow,
        "num_items_in_batch": 200,
        "use_cache": False,
    }


def loss_and_gradients(forward, model, batch, scale=1.0):
    model.zero_grad()
    loss = forward(**batch).loss
    (loss * scale).backward()
    return loss.detach(), {name: weight.grad.clone() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("scale", [1.0, 2.0])  # two processes double the loss, which DDP then averages
def test_loss_and_gradients_are_those_of_the_logits(model, batch, scale, monkeypatch):
    monkeypatch.setattr(chunked_loss, "WORTH_IT", 0)
    monkeypatch.setattr(chunked_loss, "ROWS", 40)  # 96 tokens make two chunks and a shorter one
    monkeypatch.setattr(chunked_loss, "CACHED", 7)
    usual = loss_and_gradients(model, model, batch, scale)
    chunks = loss_and_gradients(lambda **b: forward_to_loss(model, **b), model, batch, scale)
    torch.testing.assert_close(chunks, usual, atol=1e-6, rtol=1e-5)


def test_under_autocast_both_are_within_the_rounding_of_bf16(model, batch, monkeypatch):
    monkeypatch.setattr(chunked_loss, "WORTH_IT", 0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        usual = loss_and_gradients(model, model, batch)
        chunks = loss_and_gradients(lambda **b: forward_to_loss(model, **b), model, batch)
    assert chunks[0].dtype == torch.float32
    torch.testing.assert_close(chunks, usual, atol=3e-3, rtol=3e-2)


def test_a_frozen_head_has_no_gradient_and_the_rest_has_its_own(model, batch, monkeypatch):
    monkeypatch.setattr(chunked_loss, "WORTH_IT", 0)
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone(), requires_grad=False)
    gradients = []
    for forward in (model, lambda **b: forward_to_loss(model, **b)):
        model.zero_grad()
        (forward(**batch).loss * 2).backward()
        assert model.lm_head.weight.grad is None
        gradients.append(model.transformer.h[0].mlp.c_fc.weight.grad.clone())
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-6, rtol=1e-5)


def test_no_logits_are_kept(model, batch, monkeypatch):
    monkeypatch.setattr(chunked_loss, "WORTH_IT", 0)
    monkeypatch.setattr(chunked_loss, "ROWS", 8)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.shape) or tensor, lambda x: x):
        forward_to_loss(model, **batch)
    assert kept
    assert not any(300 in shape and 96 in shape for shape in kept)


def test_few_logits_and_labels_to_be_left_out_take_the_usual_way(model, batch, monkeypatch):
    assert forward_to_loss(model, **batch).logits is not None
    monkeypatch.setattr(chunked_loss, "WORTH_IT", 0)
    assert forward_to_loss(model, **batch).logits is None
    assert forward_to_loss(model, **batch, attention_mask=torch.ones(3, 32)).logits is not None
    batch["shift_labels"][0, :5] = -100
    found = forward_to_loss(model, **batch)
    assert found.logits is not None
    assert found.loss == model(**batch).loss
