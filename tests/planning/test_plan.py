"""The planner: what autograd keeps, what fits, what is proposed instead, and one prediction against a real training."""

import dataclasses
import json
import re
import runpy
import sys
from pathlib import Path

import pytest
import torch
import yaml

from hf_llm.benchmarks import peak_memory, planner
from hf_llm.benchmarks.fresh_process import in_fresh_process
from hf_llm.config import UserError
from hf_llm.models.gpt2 import gpt2_config, new_gpt2, parameter_counts
from hf_llm.planning import matmul_probe as probe
from hf_llm.planning import plan as plan_module
from hf_llm.planning.matmul_probe import Speed
from hf_llm.planning.memory import Workload, block_activations, moments, outer_activations, peak
from hf_llm.planning.plan import Machine, Plan
from hf_llm.planning.speed import flops_per_token, step_seconds
from hf_llm.training.config import PretrainConfig

SPEED = {name: Speed(flops=1e11, activation=1e9, copy=2e10, call=4e-6) for name in ("fp32", "bf16")}
ROOMY = Machine(free_memory=10**15, free_disk=10**15, threads=1)
SCRIPT = Path(__file__).parents[2] / "scripts" / "plan.py"


def make_plan(machine: Machine = ROOMY, vocab_size: int | None = None, tokens=(None, None), **settings) -> Plan:
    config = PretrainConfig(**{"model": "small", "precision": "fp32", **settings})
    model = gpt2_config(
        config.model, vocab_size, config.n_positions, config.n_layer, config.n_head, config.n_embd, config.dropout,
        attention=config.attention,
    )  # fmt: skip
    return Plan(config, model, machine, *tokens, speed=SPEED)


def kept_by_autograd(model_config, batch: int, precision: str) -> int:
    """Return the bytes that a forward pass leaves for the backward pass: activations, and bf16 copies of weights."""
    model, kept = new_gpt2(model_config, seed=0), {}
    weights = {parameter.data_ptr() for parameter in model.parameters()}
    ids = torch.zeros(batch, model_config.n_positions, dtype=torch.long)

    def keep(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor  # the tensor too, so that its address stays taken
        return tensor

    autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), autocast:
        loss = model(input_ids=ids, labels=ids, shift_labels=ids, num_items_in_batch=ids.numel()).loss
    assert loss.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_activations_are_what_autograd_keeps(precision, attention, dropout):
    one, three = (
        gpt2_config("nano", 500, 48, layers, 2, 64, dropout, 0, attention=attention) for layers in (1, 3)
    )  # two more blocks, so that what lies outside them cancels out
    work = Workload(one, batch=5, precision=precision)
    kept = [kept_by_autograd(config, 5, precision) for config in (one, three)]
    copies = 2 * 12 * 64**2 if precision == "bf16" else 0
    assert block_activations(work) == pytest.approx((kept[1] - kept[0]) / 2 - copies, rel=0.01)
    head_copy = 2 * 500 * 64 if precision == "bf16" else 0
    outside = kept[0] - (kept[1] - kept[0]) / 2 - head_copy - 4 * work.logits  # log-probabilities
    assert outer_activations(work) == pytest.approx(outside, rel=0.05)  # token ids, and the norm's mean and deviation


def test_flops_of_a_token_count_weights_six_times_and_attention():
    config = gpt2_config("small", n_positions=256)
    weights = parameter_counts(config)["total"] - 256 * 768
    assert flops_per_token(config) == 6 * weights + 12 * 12 * 768 * 256


def test_the_parts_of_memory():
    config = gpt2_config("micro")
    total = parameter_counts(config)["total"]
    at = moments(Workload(config, batch=4))
    assert at["last block"]["weights"] == at["last block"]["gradients"] == 4 * total
    assert at["last block"]["optimizer"] == 8 * total
    assert at["loss"]["logits"] == 3 * 4 * (4 * 128 * 1000)
    assert at["loss"]["gradients"] == 0  # freed after the step before
    assert moments(Workload(config, batch=4, accumulation=2))["loss"]["gradients"] == 4 * total
    two = moments(Workload(config, batch=4, processes=2))
    assert two["loss"]["gradients"] == 4 * total  # DDP's buckets
    assert moments(Workload(config, batch=4, optimizer="sgd"))["loss"]["optimizer"] == 4 * total


def test_a_share_of_the_model_is_planned_as_a_share():
    config = gpt2_config("small")
    total = parameter_counts(config)["total"]
    sharded = Workload(config, batch=1, processes=8, shard=True)
    held = moments(sharded)["forward"]
    assert (held["weights"], held["optimizer"], held["gradients"]) == (total / 2, total, total / 2)
    assert held["temporary"] == 4 * total  # at most the whole weights, as while it evaluates
    assert moments(sharded)["embedding"]["gradients"] == total / 2
    assert moments(dataclasses.replace(sharded, accumulation=2))["embedding"]["gradients"] == total / 2 + 4 * total
    assert peak(sharded) < peak(Workload(config, batch=1, processes=8)) - 8 * total


def test_gradient_checkpointing_keeps_one_hidden_state_a_block():
    config = gpt2_config("small", n_positions=256)
    plain, checkpointed = (Workload(config, batch=4, gradient_checkpointing=on) for on in (False, True))
    hidden = 4 * 256 * 768
    saved = moments(plain)["loss"]["activations"] - moments(checkpointed)["loss"]["activations"]
    assert saved == 12 * (block_activations(plain) - 4 * hidden)
    assert peak(checkpointed) < peak(plain)


@pytest.mark.slow
@pytest.mark.skipif(not peak_memory.RESET_PEAK.exists(), reason="only Linux tells the peak of a process")
def test_predicted_memory_is_what_a_real_training_takes():
    row = in_fresh_process(planner.__name__, json.dumps(planner.CASES[1]))
    assert row["within_tolerance"], planner.describe(row)


@pytest.mark.parametrize("slow", [None, "bf16 is slow on this processor"])
def test_bf16_is_measured_where_the_processor_has_it(monkeypatch, tmp_path, slow):
    row = {"case": planner.CASES[0], "predicted_bytes": 1}  # as if it did not fit
    measured = []
    monkeypatch.setattr(planner, "require_peak", lambda: None)
    monkeypatch.setattr(planner, "bf16_is_slow", lambda device_type: slow)
    monkeypatch.setattr(planner, "in_fresh_process", lambda module, case: measured.append(json.loads(case)) or row)
    planner.run(tmp_path)
    assert {case["precision"] for case in measured} == ({"fp32"} if slow else {"fp32", "bf16"})
    assert json.loads((tmp_path / "result.json").read_text())["left_out"] == len(planner.CASES)


def proposed(refusal) -> dict:
    """Return the settings that a refusal advises, as YAML reads their values."""
    flags = re.findall(r"--(\w+)(?: ([\w.]+))?", str(refusal.value))
    return {name: yaml.safe_load(value) if value else True for name, value in flags}


@pytest.mark.parametrize("free", [60e9, 15e9, 6e9, 3.5e9, 2.5e9, 1e9])
def test_what_cannot_fit_is_refused_with_what_fits(free):
    machine = dataclasses.replace(ROOMY, free_memory=int(free))
    settings = {"model": "small", "total_batch_size": 96, "per_device_train_batch_size": 96}
    plan = make_plan(machine, **settings)
    assert not plan.fits()
    with pytest.raises(UserError, match=r"needs .* of memory, and .* are free; this fits: --") as refusal:
        plan.require_fit()
    assert make_plan(machine, vocab_size=50257, **{**settings, **proposed(refusal)}).fits()


def test_the_smallest_change_is_proposed_first():
    whole = make_plan(total_batch_size=8, per_device_train_batch_size=8)
    machine = dataclasses.replace(ROOMY, free_memory=whole.peak_memory_bytes - 1)
    with pytest.raises(UserError, match="this fits: --per_device_train_batch_size 4 "):
        make_plan(machine, total_batch_size=8, per_device_train_batch_size=8).require_fit()


def test_where_the_moments_do_not_fit_adafactor_is_proposed_and_then_its_step_in_the_backward_pass():
    large = {"model": "large", "n_positions": 256, "precision": "bf16", "total_batch_size": 2,
             "per_device_train_batch_size": 2, "gradient_checkpointing": True}  # fmt: skip

    def advised(free: float, **settings) -> dict:
        machine = dataclasses.replace(ROOMY, free_memory=int(free))
        with pytest.raises(UserError, match="this fits: --") as refusal:
            make_plan(machine, **{**large, **settings}).require_fit()
        return proposed(refusal)

    clipped, in_backward = advised(9e9), advised(6.95e9)
    assert (clipped["optimizer"], clipped["learning_rate"]) == ("adafactor", 0.01)
    assert not {"optimizer_in_bwd", "total_batch_size", "max_grad_norm"} & clipped.keys()
    assert in_backward["optimizer_in_bwd"] is True
    assert (in_backward["max_grad_norm"], in_backward["per_device_train_batch_size"]) == (0, 2)
    taken = {**in_backward, "learning_rate": 0.02}  # of whoever trains so already, all but the batch stays
    assert advised(4.2e9, **taken).keys() & {"learning_rate", "optimizer_in_bwd"} == set()


def test_gradients_that_are_freed_at_once_need_no_room():
    config = gpt2_config("large", n_positions=256)
    work = Workload(config, batch=1, precision="bf16", gradient_checkpointing=True, optimizer="adafactor")
    whole, in_backward = peak(work), peak(dataclasses.replace(work, optimizer_in_bwd=True))
    total, head = (parameter_counts(config)[part] for part in ("total", "token_embedding"))
    assert whole - in_backward > 0.5 * 4 * (total - 3 * head)
    at = moments(dataclasses.replace(work, optimizer_in_bwd=True))
    assert at["embedding"]["gradients"] < 0.15 * 4 * total
    assert at["embedding"]["optimizer"] == 0
    assert at["forward"]["bf16 copies"] == 2 * head  # none is kept beside the one that the backward pass needs


def test_a_full_disk_is_refused_with_fewer_checkpoints():
    need = make_plan(save_total_limit=1).disk_bytes
    machine = dataclasses.replace(ROOMY, free_disk=need)
    with pytest.raises(UserError, match=r"checkpoints and model need .*this fits: --save_total_limit 1 "):
        make_plan(machine, save_total_limit=3).require_fit()


def test_where_nothing_fits_it_says_so():
    with pytest.raises(UserError, match="nothing smaller that was tried fits"):
        make_plan(dataclasses.replace(ROOMY, free_memory=10**7)).require_fit()


def test_processes_on_one_machine_share_its_memory():
    plan = make_plan(total_batch_size=8, per_device_train_batch_size=4)
    machine = dataclasses.replace(ROOMY, free_memory=int(1.5 * plan.peak_memory_bytes))
    assert make_plan(machine, total_batch_size=8, per_device_train_batch_size=4).fits()
    two = dataclasses.replace(machine, processes=2, local_processes=2)
    assert not make_plan(two, total_batch_size=8, per_device_train_batch_size=4).fits()


def test_the_plan_prints_its_arithmetic():
    text = make_plan(
        tokens=(1000, 200), total_batch_size=24, per_device_train_batch_size=4, max_steps=10, warmup_steps=2
    ).describe()
    assert "4 samples at once x 6 micro-batches" in text
    assert "= 24 per step, 24,576 tokens" in text
    assert "245,760 tokens: 245.76 times the 1,000 of the corpus" in text
    assert "124,439,808: token embedding 38,597,376" in text
    for word in (
        "up to 0.001 in 2 steps (20.0%)",
        "gradients",
        "optimizer",
        "activations",
        "logits",
        "disk",
        "per step",
    ):
        assert word in text, word
    assert "not at hand" in make_plan().describe()


def test_precision_auto_plans_for_the_larger_memory():
    fp32, bf16, auto = (make_plan(precision=name).peak_memory_bytes for name in ("fp32", "bf16", "auto"))
    assert auto == max(fp32, bf16)


def test_time_grows_with_the_work():
    work = Workload(gpt2_config("small", n_positions=256), batch=4)
    once = step_seconds(work, SPEED["fp32"])
    assert once > flops_per_token(work.model) * 1024 / SPEED["fp32"].flops
    assert step_seconds(dataclasses.replace(work, accumulation=2), SPEED["fp32"]) > 1.8 * once
    assert step_seconds(dataclasses.replace(work, gradient_checkpointing=True), SPEED["fp32"]) > 1.25 * once


def test_utilisation_is_one_at_the_probed_peak():
    plan = make_plan()
    assert plan.utilisation(SPEED["fp32"].flops / flops_per_token(plan.model)) == pytest.approx(1)


def test_the_probe_measures(monkeypatch):
    monkeypatch.setattr(probe, "SHAPES", ((8, 8, 8), (16, 16, 16)))
    monkeypatch.setattr(probe, "WIDE", (8, 8))
    monkeypatch.setattr(probe, "COPY", 64)
    monkeypatch.setattr(probe, "BUDGET", 0.01)
    for precision in ("fp32", "bf16"):
        assert all(value > 0 for value in dataclasses.astuple(probe.measure(precision, "cpu")))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('no such module')", "ImportError: no such module"),
        ("print('something else')", "JSONDecodeError"),
        ("import os; os._exit(9)", "exit code 9"),
        ("pass", "IndexError"),
        ("import time; time.sleep(60)", "TimeoutExpired"),
    ],
)
def test_without_a_probe_nothing_is_predicted_and_why_is_said(monkeypatch, code, reason):
    monkeypatch.setattr(probe, "python", lambda *words: [sys.executable, "-c", code])
    monkeypatch.setattr(probe, "PATIENCE", 5 if "sleep" in code else 60)
    probe.machine_speed.cache_clear()
    plan = dataclasses.replace(make_plan(), speed=None)
    assert f"no prediction: this machine's speed could not be measured ({reason}" in plan.describe()
    assert (plan.step_seconds, plan.evaluation_seconds, plan.utilisation(1e3)) == (None, None, None)
    plan.require_fit()


def test_a_python_that_cannot_be_started_predicts_nothing_either(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    probe.machine_speed.cache_clear()
    assert "FileNotFoundError" in dataclasses.replace(make_plan(), speed=None).describe()


def test_the_script_plans_without_a_corpus_and_refuses_what_cannot_fit(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(plan_module, "machine_speed", lambda precision, threads, device: SPEED[precision])

    def run(*flags: str) -> int:
        monkeypatch.setattr(sys, "argv", ["plan.py", "--corpus", str(tmp_path / "none"), "--precision", "fp32", *flags])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return end.value.code

    assert run("--model", "nano", "--output_dir", str(tmp_path / "run")) == 0
    assert "the corpus is not at hand" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
    flags = ("--model", "xl", "--total_batch_size", "4096", "--per_device_train_batch_size", "4096")
    assert run(*flags, "--output_dir", str(tmp_path / "run")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
