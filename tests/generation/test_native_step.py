"""The compiled step beside transformers: the same numbers, and what happens where there is none."""

import logging
import subprocess
from types import SimpleNamespace

import psutil
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from hf_llm.config import child_environment, python
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.decoding import decode
from hf_llm.generation.native import library as native_library
from hf_llm.generation.native import weights as native_weights
from hf_llm.generation.native.library import library
from hf_llm.generation.native.step import NativeStep, native_step
from hf_llm.generation.native.weights import as_read, readable, to_int8
from hf_llm.generation.step import TransformersStep, _has_no_effect, step_of
from hf_llm.models.gpt2 import gpt2_config, new_gpt2

needs_compiler = pytest.mark.skipif(library() is None, reason="there is no C++ compiler, so no compiled step")
SHAPES = [  # vocabulary, context, layers, heads, width, the MLP's width
    (257, 8, 1, 1, 1, None),
    (258, 16, 2, 3, 21, None),
    (300, 32, 3, 4, 64, None),
    (1000, 64, 4, 4, 128, 77),
    (50257, 24, 1, 12, 768, None),
]


def drawn_model(vocab_size=300, n_positions=32, n_layer=3, n_head=4, n_embd=64, n_inner=None, **kwargs):
    """Return a GPT-2 with large weights: also biases and norms, so that each of them counts."""
    config = GPT2Config(
        vocab_size=vocab_size, n_positions=n_positions, n_layer=n_layer, n_head=n_head, n_embd=n_embd, n_inner=n_inner,
        bos_token_id=0, eos_token_id=0, **kwargs,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GPT2LMHeadModel(config).eval()
        for weight in model.parameters():
            weight.data += 0.1 * torch.randn_like(weight)
    return model


def tokens_of(model, count):
    return torch.randint(model.config.vocab_size, (count,), generator=torch.Generator().manual_seed(1)).tolist()


def logits_along(step, tokens, begin=1):
    """Return the logits behind each token, (T - begin + 1, vocab)."""
    rows = [step.begin(torch.tensor([tokens[:begin]])).clone()]
    rows += [step.go_on(token).clone() for token in tokens[begin:]]
    return torch.cat(rows)


@needs_compiler
@pytest.mark.parametrize("begin", [1, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_logits_are_those_of_transformers(shape, begin):
    model = drawn_model(*shape)
    tokens = tokens_of(model, model.config.n_positions)
    with torch.no_grad():
        expected = model(torch.tensor([tokens])).logits[0, begin - 1 :]
    torch.testing.assert_close(logits_along(NativeStep(model, "fp32"), tokens, begin), expected, atol=2e-4, rtol=1e-4)


@needs_compiler
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads_gives_the_same(threads):
    model = drawn_model()
    tokens = tokens_of(model, 20)
    step = NativeStep(model, "fp32")
    expected = logits_along(step, tokens)
    step.threads = threads
    assert torch.equal(logits_along(step, tokens), expected)  # each sum is one thread's, in one order


@needs_compiler
@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_rounded_weights_are_read_as_they_are_said_to_be(precision):
    model = drawn_model()
    tokens = tokens_of(model, 20)
    reference = as_read(model, precision)
    with torch.no_grad():
        expected = reference(torch.tensor([tokens])).logits[0]
        unrounded = model(torch.tensor([tokens])).logits[0]
    step = NativeStep(model, precision)
    step.model = reference  # which reads the prompt; otherwise the unrounded weights do
    torch.testing.assert_close(logits_along(step, tokens), expected, atol=2e-4, rtol=1e-4)
    assert (expected - unrounded).abs().max() > 1e-3  # the two are told apart


def test_int8_is_within_half_a_step_of_the_weight():
    weight = torch.randn(40, 30, generator=torch.Generator().manual_seed(0))
    whole, scales = to_int8(weight)
    assert scales.shape == (40,)
    assert ((whole * scales[:, None] - weight).abs() <= scales[:, None] / 2 * 1.0001).all()
    assert whole.abs().amax() == 127
    whole, scales = to_int8(torch.zeros(3, 2))
    assert torch.isfinite(scales).all()
    assert (whole == 0).all()


@needs_compiler
def test_greedy_text_is_that_of_transformers_also_when_the_window_slides(monkeypatch):
    model = drawn_model()
    settings = GenerationSettings(max_new_tokens=100, do_sample=False)
    assert isinstance(step_of(model), NativeStep)
    ours = list(decode(model, [0, 1, 2], settings))
    monkeypatch.setattr("hf_llm.generation.decoding.step_of", lambda model, precision: TransformersStep(model))
    assert ours == list(decode(model, [0, 1, 2], settings))
    assert len(set(ours)) > 5


@needs_compiler
@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_a_model_that_has_learned_since_is_read_anew(precision):
    model = drawn_model()
    before = logits_along(NativeStep(model, precision), [1, 2, 3])[1:]
    with torch.no_grad():
        model.transformer.h[0].mlp.c_fc.weight.mul_(2)
    after = logits_along(NativeStep(model, precision), [1, 2, 3])[1:]
    assert (before - after).abs().max() > 1e-3


def test_what_the_step_does_not_compute_is_left_to_transformers():
    assert readable(drawn_model())
    assert not readable(drawn_model(activation_function="relu"))
    assert not readable(drawn_model(scale_attn_by_inverse_layer_idx=True))
    assert not readable(drawn_model(scale_attn_weights=False))
    assert not readable(drawn_model().to(torch.bfloat16))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not readable(drawn_model())
    hooked = drawn_model()
    hooked.transformer.h[0].register_forward_hook(lambda *_: None)  # as the app does to switch a head off
    assert not readable(hooked)

    class Other(GPT2LMHeadModel):
        pass

    assert not readable(Other(drawn_model().config))
    assert isinstance(step_of(hooked), TransformersStep)


@needs_compiler
def test_a_copy_that_memory_has_no_room_for_is_not_made(monkeypatch):
    model = drawn_model()
    size = sum(weight.numel() for weight in model.parameters()) * 4
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=size))
    assert native_step(model, "fp32") is None
    assert native_step(model, "int8") is not None


@needs_compiler
def test_a_model_that_trains_keeps_no_copy(make_config, make_tiny_task):
    config = make_config()
    task = make_tiny_task(config)
    task.sample_prompt = ""
    assert readable(task.model)
    assert task.sample(task.model)
    assert task.model not in native_weights._MADE


@pytest.fixture
def anew(monkeypatch):
    """Forget the library that this process has compiled."""
    monkeypatch.setattr(native_library, "library", library.__wrapped__)
    return library.__wrapped__


def test_without_a_compiler_transformers_generates_and_it_is_said(anew, monkeypatch, caplog):
    monkeypatch.setenv("CXX", "")
    monkeypatch.setenv("PATH", "")
    with caplog.at_level(logging.WARNING):
        assert anew() is None
    assert "there is no C++ compiler" in caplog.text


@needs_compiler
def test_a_compiler_that_fails_is_named(anew, monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    broken = tmp_path / "broken.cpp"
    broken.write_text("no C++", encoding="utf-8")
    monkeypatch.setattr(native_library, "SOURCE", broken)
    with caplog.at_level(logging.WARNING):
        assert anew() is None
    assert "does not make it: " in caplog.text
    assert not list((tmp_path / "hf_llm" / "native").iterdir())  # nothing half-written


@needs_compiler
def test_it_is_compiled_once(anew, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert anew() is not None
    monkeypatch.setattr(native_library, "_compile", None)
    assert anew() is not None
    assert [path.suffix for path in (tmp_path / "hf_llm" / "native").iterdir()] == [".so"]


@needs_compiler
@pytest.mark.parametrize("home", ["a file", "a damaged library"])
def test_a_cache_that_cannot_be_used_costs_a_compilation(home, anew, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if home == "a file":
        (tmp_path / "hf_llm").write_text("", encoding="utf-8")
    else:
        assert anew() is not None
        (made,) = (tmp_path / "hf_llm" / "native").iterdir()
        made.unlink()  # not overwritten: it is loaded
        made.write_text("no library", encoding="utf-8")
    assert anew() is not None


@needs_compiler
def test_loading_it_leaves_the_arithmetic_of_the_process_alone():
    """A library that is linked for fast arithmetic may switch denormal numbers off for the whole process."""
    code = (
        "import torch\n"
        "from hf_llm.generation.native.library import library\n"
        "assert library()\n"
        "print(float(torch.tensor(1e-40) * 1))"
    )
    done = subprocess.run(python("-c", code), env=child_environment(), capture_output=True, text=True, timeout=120)
    assert float(done.stdout) > 0, done.stderr


def test_a_precision_that_has_no_effect_is_said(caplog):
    _has_no_effect.cache_clear()
    model = drawn_model(activation_function="relu")
    with caplog.at_level(logging.WARNING):
        list(decode(model, [0], GenerationSettings(max_new_tokens=2, precision="int8")))
        list(decode(model, [0], GenerationSettings(max_new_tokens=2, precision="int8")))
    assert caplog.text.count("int8 has no effect") == 1
    assert native_step(model, "fp32") is None


def test_the_small_size_is_read_by_it():
    assert readable(new_gpt2(gpt2_config("nano", vocab_size=300), seed=0))
