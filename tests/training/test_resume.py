"""A run that was interrupted after any step goes on bit for bit."""

import logging
import os
import signal
from contextlib import contextmanager

import pytest
import torch
from safetensors.torch import load_file

from hf_llm.config import UserError
from hf_llm.recipes.pretrain import pretrain
from hf_llm.runs.log import TIMES
from hf_llm.runs.run import Run
from hf_llm.training.loop import train
from hf_llm.training.signals import stop_on_signals

STEPS = 8


@pytest.fixture
def config(make_config):
    """Dropout, two micro-batches a step, evaluations of which not each is the best; no checkpoint without a reason."""
    return make_config(
        max_steps=STEPS, per_device_train_batch_size=4, dropout=0.1, eval_steps=3, save_steps=100, learning_rate=0.03
    )


@pytest.fixture
def start(config, make_tiny_task, tmp_path):
    """Return a function that runs the settings in a folder, with a SIGTERM during one of the steps."""

    def start(name: str, terminated_in: int | None = None, **changes) -> tuple[Run, object, object]:
        task = make_tiny_task(config)
        task.stride = task.stride * 16  # so few windows that an epoch ends within the run
        task.plan = type(task.plan)(len(task.tokens) // task.stride, 8, 4, seed=config.seed)
        assert 1 < task.plan.samples / config.total_batch_size < STEPS - 2
        assert task.plan.accumulation == 2
        batch = task.batch

        def terminating_batch(step, micro_step, rank):
            if step + 1 == terminated_in and micro_step == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            return batch(step, micro_step, rank)

        task.batch = terminating_batch
        run = Run(tmp_path / name, {}, keep=1)
        run.folder.mkdir(exist_ok=True)
        result = train(task, type(config)(**{**vars(config), **changes}), run)
        return run, result, task

    return start


def stopped(start, name: str, step: int, **changes) -> None:
    """Run with a SIGTERM during a step, and require that it ends with that step."""
    with pytest.raises(UserError, match=rf"stopped at step {step} of {STEPS}; .*the same command goes on"):
        start(name, terminated_in=step, **changes)


def outcome(run: Run) -> tuple[list[dict], dict[str, torch.Tensor]]:
    """Return the log without its times, and all tensors of the last checkpoint."""
    records = [{key: value for key, value in record.items() if key not in TIMES} for record in run.log.records()]
    files = sorted(run.checkpoint.folder.glob("*.safetensors"))
    return records, {f"{path.stem}/{name}": tensor for path in files for name, tensor in load_file(path).items()}


def assert_same(run: Run, other: Run) -> None:
    (records, tensors), (other_records, other_tensors) = outcome(run), outcome(other)
    assert records == other_records
    assert tensors.keys() == other_tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(tensor, other_tensors[name]), name


def test_resuming_after_every_step_changes_nothing(start):
    undisturbed, _, _ = start("undisturbed")
    for step in range(1, STEPS):
        stopped(start, f"stopped-{step}", step)
        resumed, result, task = start(f"stopped-{step}")
        assert result.progress.step == STEPS
        assert_same(resumed, undisturbed)
        published = load_file(resumed.checkpoint.folder / "model.safetensors")
        assert torch.equal(task.model.lm_head.weight, published["transformer.wte.weight"])


def test_a_run_that_is_stopped_in_each_of_its_steps_changes_nothing(start):
    undisturbed, _, _ = start("undisturbed")
    for step in range(1, STEPS + 1):
        stopped(start, "often", step)
    often_stopped, result, _ = start("often")
    assert result.records == []  # all steps were done
    assert_same(often_stopped, undisturbed)


def test_patience_and_the_best_loss_survive(start):
    settings = {"eval_steps": 1, "early_stopping_patience": 2, "learning_rate": 2.0}  # so much that it soon gets worse
    undisturbed, whole, _ = start("undisturbed", **settings)
    assert whole.progress.step < STEPS
    for step in range(1, whole.progress.step + 1):
        stopped(start, "stopped", step, **settings)
    resumed, result, _ = start("stopped", **settings)
    assert {**vars(result.progress), "seconds": 0} == {**vars(whole.progress), "seconds": 0}
    assert outcome(resumed)[0] == outcome(undisturbed)[0]


def test_a_terminated_pretraining_ends_with_a_sentence_and_the_same_call_goes_on(make_config, tmp_path):
    settings = {"max_steps": 6, "dropout": 0.1, "eval_steps": 4, "save_steps": 100, "n_layer": 1, "n_embd": 32}
    undisturbed = pretrain(make_config(output_dir=str(tmp_path / "undisturbed"), **settings))
    config = make_config(output_dir=str(tmp_path / "stopped"), **settings)
    with terminate_in(step=3), pytest.raises(UserError, match=r"stopped at step 3 of 6; .*the same command goes on"):
        pretrain(config)
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    resumed = pretrain(config)
    assert resumed["resumed_from"] == [3]
    assert resumed["files"]["model.safetensors"] == undisturbed["files"]["model.safetensors"]
    assert pretrain(config) == resumed  # the finished run is reported, not repeated


@contextmanager
def terminate_in(step: int):
    """Send SIGTERM to this process when it begins the step."""
    begun = []

    class Terminator(logging.Handler):
        def emit(self, record):
            if record.msg == "train":
                begun.append(record)
                if len(begun) == step:
                    os.kill(os.getpid(), signal.SIGTERM)

    logger, terminator = logging.getLogger("hf_llm.training.loop"), Terminator()
    level = logger.level
    logger.addHandler(terminator)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(terminator)
        logger.setLevel(level)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_one_does_what_it_always_did(number):
    received = []
    earlier = signal.signal(number, lambda *_: received.append("second"))
    try:
        with stop_on_signals() as stop:
            assert not stop
            os.kill(os.getpid(), number)
            assert stop
            assert received == []
            os.kill(os.getpid(), number)
            assert received == ["second"]
        os.kill(os.getpid(), number)
        assert received == ["second", "second"]
    finally:
        signal.signal(number, earlier)


def test_a_diverged_loss_names_the_checkpoint_that_is_left(start):
    with pytest.raises(UserError, match=r"no longer a finite number at step \d.*the checkpoint of step 1 is intact"):
        start("diverged", save_steps=1, learning_rate=1e30)
