"""Compiled blocks compute what the model does, and the model itself is left as it was."""

import logging

import pytest
import torch
from torch import nn
from transformers.activations import NewGELUActivation

from hf_llm.config.compiler import cpp_compiler
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.training.compilation import CheapGELU, blocks_of, compiled
from hf_llm.training.hashed_dropout import with_hashed_dropout
from hf_llm.training.loop import train

needs_compiler = pytest.mark.skipif(cpp_compiler() is None, reason="there is no C++ compiler, so nothing is compiled")


def tiny():
    return new_gpt2(gpt2_config("nano", vocab_size=300, n_positions=32, n_layer=3, dropout=0.0), seed=0)


@needs_compiler
@pytest.mark.slow
def test_loss_and_gradients_are_those_of_the_model():
    model, batch = tiny(), torch.randint(300, (2, 32), generator=torch.Generator().manual_seed(0))
    losses, gradients = [], []
    for forward in (model, compiled(model)):
        loss = forward(input_ids=batch, labels=batch, shift_labels=batch, use_cache=False).loss
        loss.backward()
        losses.append(loss.item())
        gradients.append({name: weight.grad.clone() for name, weight in model.named_parameters()})
        model.zero_grad()
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-5, rtol=1e-4)


def test_the_cheap_gelu_is_the_one_of_gpt2():
    x = torch.linspace(-8, 8, 4001, dtype=torch.float32, requires_grad=True)
    results = []
    for activation in (NewGELUActivation(), CheapGELU()):
        (gradient,) = torch.autograd.grad(activation(x).sum(), x)
        results.append((activation(x).detach(), gradient))
    torch.testing.assert_close(results[1], results[0], atol=2e-6, rtol=1e-5)
    assert CheapGELU()(x.bfloat16()).dtype == torch.bfloat16


@needs_compiler
@pytest.mark.slow
def test_what_drops_out_is_what_the_hash_drops_uncompiled():
    batch, losses = torch.randint(300, (2, 32), generator=torch.Generator().manual_seed(0)), []
    config = gpt2_config("nano", vocab_size=300, n_positions=32, n_layer=2, dropout=0.3, attention="eager")
    plain, twin = new_gpt2(config, seed=0).train(), compiled(new_gpt2(config, seed=0).train())
    for block in plain.transformer.h:
        block.forward = with_hashed_dropout(block.forward)
    for forward in (plain, twin):
        torch.manual_seed(1)
        losses.append(forward(input_ids=batch, labels=batch, shift_labels=batch, use_cache=False).loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@needs_compiler
def test_the_model_itself_is_not_compiled():
    model = tiny()
    twin = compiled(model)
    assert all(block._compiled_call_impl is not None for block in twin.transformer.h)
    assert all(block._compiled_call_impl is None for block in model.transformer.h)
    assert all(isinstance(block.mlp.act, CheapGELU) for block in twin.transformer.h)
    assert all(isinstance(block.mlp.act, NewGELUActivation) for block in model.transformer.h)
    assert all(a.attn is b.attn for a, b in zip(twin.transformer.h, model.transformer.h))  # modes are one
    assert "forward" in vars(twin)
    assert "forward" not in vars(model)
    assert [*map(id, twin.parameters())] == [*map(id, model.parameters())]
    assert list(twin.state_dict()) == list(model.state_dict())


@needs_compiler
@pytest.mark.slow
def test_a_compiled_training_ends_with_the_loss_of_a_plain_one(make_config, make_tiny_task):
    losses = []
    for compile_ in (False, True):
        config = make_config(compile=compile_, precision="fp32")
        task = make_tiny_task(config)
        losses.append(train(task, config).progress.train_loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_the_blocks_are_found():
    assert blocks_of(tiny()) == "transformer.h"
    assert blocks_of(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))) is None
    assert blocks_of(nn.Module()) is None


def test_without_a_compiler_the_model_is_trained_as_it_is_and_that_is_said(monkeypatch, caplog):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CXX", "")
    model = tiny()
    with caplog.at_level(logging.WARNING):
        assert compiled(model) is model
    assert "needs a C++ compiler, and there is none" in caplog.text


def test_dropout_is_on_in_each_step_also_after_an_evaluation(make_config, make_tiny_task, monkeypatch):
    """A loaded model is in evaluation mode, and its twin shares the layers that drop out."""
    monkeypatch.setattr(nn.Module, "compile", lambda module, options: None)  # what is asked here needs no compiler
    monkeypatch.setattr("hf_llm.training.compilation.cpp_compiler", lambda: "c++")
    config = make_config(compile=True, eval_steps=1, dropout=0.1)
    task = make_tiny_task(config)
    task.model.eval()
    modes, loss = [], task.loss

    def watched(model, batch, n):
        modes.append(all(module.training for module in model.modules() if isinstance(module, nn.Dropout)))
        return loss(model, batch, n)

    monkeypatch.setattr(task, "loss", watched)
    train(task, config)
    assert len(modes) >= 2
    assert all(modes)
