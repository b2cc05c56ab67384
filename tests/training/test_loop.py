"""What the loop does beside descending: precision, early stopping, a diverged loss, what it leaves alone."""

import math
import time

import pytest
import torch
from transformers import DynamicCache, TrainingArguments

from hf_llm.config import UserError
from hf_llm.training import precision
from hf_llm.training.clock import Clock
from hf_llm.training.config import TrainingConfig
from hf_llm.training.loop import dropout_seed, train
from hf_llm.training.optimizer import learning_rate, make_optimizer
from hf_llm.training.progress import Progress
from hf_llm.training.task import Task


def test_it_learns_and_reports_what_the_contract_names(make_config, make_tiny_task):
    config = make_config(max_steps=40, eval_steps=20, learning_rate=3e-3)
    result = train(make_tiny_task(config), config)
    first, last = result.records[0], result.records[-1]
    assert abs(first["loss"] - math.log(300)) < 0.3  # an untrained model guesses evenly
    assert last["loss"] < first["loss"] - 0.5
    assert {"step", "loss", "learning_rate", "grad_norm", "tokens_per_second"} <= first.keys()
    assert {"validation_loss", "bits_per_byte"} <= last.keys()
    assert result.progress.best_step in (20, 40)


def test_the_same_seed_gives_the_same_run_and_another_does_not(make_config, make_tiny_task):
    def losses(seed):
        config = make_config(seed=seed, dropout=0.2)
        return [record["loss"] for record in train(make_tiny_task(config), config).records]

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_no_key_value_cache_is_filled_and_the_loss_is_the_same(make_config, make_tiny_task, monkeypatch):
    task = make_tiny_task(make_config())
    batch = task.batch(0, 0, 0)
    expected = task.model(**batch, num_items_in_batch=task.items(batch)).loss  # as transformers does it unasked

    def fill(*_, **__):
        raise AssertionError("a cache is filled")

    monkeypatch.setattr(DynamicCache, "update", fill)
    assert torch.equal(task.loss(task.model, batch, task.items(batch)), expected)


def test_dropout_seeds_differ_in_each_coordinate():
    seeds = {dropout_seed(*coordinates) for coordinates in
             [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]}  # fmt: skip
    assert len(seeds) == 5


def test_a_loss_that_is_no_number_stops_with_a_sentence(make_config, make_tiny_task):
    config = make_config(learning_rate=1e6, max_grad_norm=0, max_steps=200, optimizer="sgd")
    with pytest.raises(UserError, match=r"no longer a finite number at step \d+.*lower learning_rate"):
        train(make_tiny_task(config), config)


def test_early_stopping_counts_evaluations_without_gain():
    config = TrainingConfig(early_stopping_patience=2, warmup_steps=0)
    progress = Progress()
    improved = []
    for step, loss in enumerate([3.0, 2.0, 2.5, 2.1], start=1):
        progress.step = step
        assert not progress.finished(config)
        improved.append(progress.judge(loss))
    assert improved == [True, True, False, False]
    assert progress.best_step == 2
    assert progress.finished(config)


def test_an_evaluation_that_is_no_number_is_never_the_best():
    progress = Progress(step=1)
    assert not progress.judge(math.nan)
    assert progress.judge(3.0)
    assert not progress.judge(math.nan)
    assert progress.best_loss == 3.0


def test_a_task_that_lacks_a_method_cannot_be_made():
    class Forgetful(Task):
        def batch(self, step, micro_step, rank): ...
        def items(self, batch): ...

    with pytest.raises(TypeError, match=r"abstract method '?evaluate"):
        Forgetful()


def test_the_clock_leaves_pauses_out_of_the_speed_and_counts_earlier_processes(monkeypatch):
    now = iter([0.0, 0.0, 2.0, 2.0, 12.0, 12.0, 16.0, 16.0, 16.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    clock = Clock(earlier=100.0)
    with clock.step():  # from 0 to 2
        pass
    assert clock.step_seconds is None  # the first step is not counted
    with clock.pause():  # from 2 to 12
        pass
    with clock.step():  # from 12 to 16
        pass
    clock.count(60)
    assert (clock.items_per_second, clock.seconds, clock.step_seconds) == (10.0, 116.0, 4.0)


def test_early_stopping_ends_the_loop(make_config, make_tiny_task):
    config = make_config(max_steps=100, eval_steps=5, early_stopping_patience=2)
    task = make_tiny_task(config)
    losses = iter([3.0, 2.0, 2.5, 2.1, 0.0])
    task.evaluate = lambda model: {"validation_loss": next(losses)}
    assert train(task, config).progress.step == 20


def test_learning_rate_curve():
    config = TrainingConfig(learning_rate=1.0, warmup_steps=10, max_steps=110, min_learning_rate_ratio=0.1)
    assert learning_rate(0, config) == pytest.approx(0.1)
    assert learning_rate(9, config) == learning_rate(10, config) == 1.0
    assert learning_rate(60, config) == pytest.approx(0.55)
    assert learning_rate(110, config) == pytest.approx(0.1)


@pytest.mark.parametrize(("given", "steps"), [(0, 0), (0.1, 10), (0.101, 11), (1, 1), (10, 10), (99.9, 99)])
def test_the_warm_up_is_read_as_training_arguments_reads_it(given, steps):
    assert TrainingConfig(warmup_steps=given, max_steps=100).warmup == steps
    assert TrainingArguments(warmup_steps=given, report_to="none").get_warmup_steps(100) == steps
    with pytest.raises(UserError, match=r"warmup_steps 101 is more than max_steps 100.*a share"):
        TrainingConfig(warmup_steps=101, max_steps=100)


def test_only_matrices_decay(make_config, make_tiny_task):
    config = make_config()
    optimizer = make_optimizer(make_tiny_task(config).model, config)
    decay, no_decay = optimizer.param_groups
    assert decay["weight_decay"] == config.weight_decay
    assert no_decay["weight_decay"] == 0
    assert all(parameter.dim() >= 2 for parameter in decay["params"])
    assert all(parameter.dim() == 1 for parameter in no_decay["params"])


@pytest.mark.parametrize(("bf16", "choice"), [(0.5, "bf16"), (0.99, "fp32"), (2.0, "fp32")])
def test_auto_takes_bf16_only_where_a_step_is_faster(make_config, make_tiny_task, monkeypatch, bf16, choice):
    seconds = {"fp32": 1.0, "bf16": bf16}
    monkeypatch.setattr(precision, "_step_seconds", lambda config, task, name, device: seconds[name])
    monkeypatch.setattr(precision, "bf16_slowdown", lambda: 0.6)
    config = make_config(precision="auto")
    task = make_tiny_task(config)
    assert precision.resolve_precision(config, task, torch.device("cpu")) == choice


def test_on_a_processor_without_bf16_auto_times_nothing_and_bf16_warns(
    make_config, make_tiny_task, monkeypatch, caplog
):
    def timed(*_):
        raise AssertionError("a step in bf16 was timed")

    monkeypatch.setattr(precision, "_step_seconds", timed)
    monkeypatch.setattr(precision, "bf16_slowdown", lambda: 60.0)
    config = make_config(precision="auto")
    task = make_tiny_task(config)
    assert precision.resolve_precision(config, task, torch.device("cpu")) == "fp32"
    assert caplog.messages == []
    config = make_config(precision="bf16")
    assert precision.resolve_precision(config, task, torch.device("cpu")) == "bf16"
    assert "60 times as long as in fp32; set precision to fp32 or auto" in caplog.text


def test_the_fastest_bf16_product_is_compared_with_the_fastest_of_fp32(monkeypatch):
    taken = [9.0, 6.0, 7.0, 4.0, 2.0, 3.0]  # seconds of each product, those in bf16 first
    clock = iter([time for seconds in taken for time in (0.0, seconds)])
    monkeypatch.setattr(precision.time, "perf_counter", lambda: next(clock))
    threads = torch.get_num_threads()
    assert precision.bf16_slowdown.__wrapped__() == 3.0
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("freed", [{}, {"optimizer_in_bwd": True, "max_grad_norm": 0}])
def test_timing_the_precision_leaves_no_trace(make_config, make_tiny_task, monkeypatch, freed):
    monkeypatch.setattr(precision, "bf16_slowdown", lambda: 0.6)  # else nothing is timed
    config = make_config(precision="auto", **freed)
    task = make_tiny_task(config)
    before = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
    assert precision.resolve_precision(config, task, torch.device("cpu")) in ("fp32", "bf16")
    assert all(torch.equal(before[name], tensor) for name, tensor in task.model.state_dict().items())
    assert all(parameter.grad is None for parameter in task.model.parameters())


def test_bf16_trains_close_to_fp32(make_config, make_tiny_task):
    losses = {}
    for name in ("fp32", "bf16"):
        config = make_config(precision=name, learning_rate=3e-3)
        losses[name] = train(make_tiny_task(config), config).records[-1]["loss"]
    assert losses["bf16"] != losses["fp32"]
    assert abs(losses["bf16"] - losses["fp32"]) < 0.05


def test_every_step_is_in_training_mode_whatever_mode_the_model_comes_in_or_is_left_in(make_config, make_tiny_task):
    config = make_config(max_steps=4, eval_steps=2, dropout=0.1)
    task = make_tiny_task(config)
    task.model.eval()  # as from_pretrained returns it
    evaluate, loss, modes = task.evaluate, task.loss, []
    task.evaluate = lambda model: evaluate(model.eval())
    task.loss = lambda model, batch, n: (
        modes.append({module.training for module in model.modules()}) or loss(model, batch, n)
    )
    train(task, config)
    assert modes == [{True}] * 4
