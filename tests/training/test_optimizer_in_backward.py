"""The step inside the backward pass: the same weights as after it, one gradient at a time, and what it refuses."""

import math

import pytest
import torch
from safetensors.torch import load_file

from hf_llm.config import UserError
from hf_llm.recipes.pretrain import pretrain
from hf_llm.recipes.verify import verify
from hf_llm.runs.run import Run
from hf_llm.training.launcher_settings import check_processes
from hf_llm.training.loop import train
from hf_llm.training.optimizer import make_optimizer
from hf_llm.training.optimizer_in_backward import optimizer_in_backward

IN_BACKWARD = {"optimizer": "adafactor", "learning_rate": 0.01, "optimizer_in_bwd": True, "max_grad_norm": 0}


def weights(task) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in task.model.named_parameters()}


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("optimizer", ["adafactor", "adamw"])
def test_it_is_the_step_after_the_backward_pass_bit_for_bit(make_config, make_tiny_task, optimizer, checkpointing):
    """The embedding too, whose gradient is a sum: it is also the output head."""
    outcomes = []
    for in_bwd in (False, True):
        config = make_config(max_steps=5, max_grad_norm=0, optimizer=optimizer, optimizer_in_bwd=in_bwd)
        task = make_tiny_task(config)
        if checkpointing:
            task.model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        outcomes.append((train(task, config).records, weights(task)))
    (after, weights_after), (inside, weights_inside) = outcomes
    assert_equal(weights_inside, weights_after)
    assert [record["loss"] for record in inside] == [record["loss"] for record in after]
    assert [record["grad_norm"] for record in inside] == pytest.approx([record["grad_norm"] for record in after])


def test_one_gradient_exists_at_a_time_and_none_is_left(make_config, make_tiny_task):
    config = make_config(**IN_BACKWARD)
    task = make_tiny_task(config)
    optimizer, seen, step = make_optimizer(task.model, config), [], None
    step = optimizer.step

    def counted() -> None:
        seen.append([name for name, weight in task.model.named_parameters() if weight.grad is not None])
        step()

    optimizer.step = counted
    batch = task.batch(0, 0, 0)
    with optimizer_in_backward(optimizer):
        task.loss(task.model, batch, task.items(batch)).backward()
    assert sorted(seen) == sorted([name] for name in dict(task.model.named_parameters()))
    assert all(weight.grad is None for weight in task.model.parameters())
    task.loss(task.model, batch, task.items(batch)).backward()  # the hooks are gone
    assert len(seen) == len(list(task.model.parameters()))
    assert all(weight.grad is not None for weight in task.model.parameters())


def test_a_loss_that_is_no_number_ends_the_run_before_a_weight_is_touched(make_config, make_tiny_task):
    config = make_config(**IN_BACKWARD)
    task = make_tiny_task(config)
    loss, before = task.loss, []

    def broken(model, batch, n) -> torch.Tensor:
        if len(before) == 2:
            before.append(weights(task))
            return loss(model, batch, n) + math.inf  # its gradients are finite
        before.append(None)
        return loss(model, batch, n)

    task.loss = broken
    with pytest.raises(UserError, match=r"no longer a finite number at step 3;.*lower learning_rate"):
        train(task, config)
    assert_equal(weights(task), before[2])


def test_a_gradient_that_is_no_number_ends_the_run_and_leaves_its_weight(make_config, make_tiny_task):
    config = make_config(**IN_BACKWARD)
    task = make_tiny_task(config)
    weight = task.model.transformer.wpe.weight
    before = weight.detach().clone()
    weight.register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(UserError, match="no longer a finite number at step 1;"):
        train(task, config)
    assert torch.equal(weight, before)


def test_adafactor_keeps_a_row_and_a_column_of_a_matrix_and_learns(make_config, make_tiny_task):
    config = make_config(max_steps=40, **{**IN_BACKWARD, "learning_rate": 0.1})  # relative to weights of 0.02
    task = make_tiny_task(config)
    records = train(task, config).records
    assert records[-1]["loss"] < records[0]["loss"] - 0.3
    optimizer, batch = make_optimizer(task.model, config), task.batch(0, 0, 0)
    task.loss(task.model, batch, task.items(batch)).backward()
    optimizer.step()
    kept = {key: value.numel() for key, value in optimizer.state[task.model.transformer.wte.weight].items()}
    rows, columns = task.model.transformer.wte.weight.shape
    assert kept == {"step": 1, "row_var": rows, "col_var": columns}


@pytest.mark.parametrize("ended_in", range(2, 6))
def test_it_goes_on_bit_for_bit_from_each_checkpoint(make_config, make_tiny_task, tmp_path, ended_in):
    config = make_config(max_steps=6, dropout=0.1, save_steps=1, **IN_BACKWARD)

    def tensors(name: str, ends_in: int | None = None) -> dict[str, torch.Tensor]:
        task, run = make_tiny_task(config), Run(tmp_path / name, {}, keep=1)
        run.folder.mkdir(exist_ok=True)
        batch = task.batch

        def ending_batch(step, micro_step, rank):
            if step + 1 == ends_in:
                raise KeyboardInterrupt
            return batch(step, micro_step, rank)

        task.batch = ending_batch
        train(task, config, run)
        files = sorted(run.checkpoint.folder.glob("*.safetensors"))
        return {f"{path.stem}/{name}": tensor for path in files for name, tensor in load_file(path).items()}

    with pytest.raises(KeyboardInterrupt):
        tensors("ended", ended_in)
    assert_equal(tensors("ended"), tensors("whole"))


def test_a_pretraining_is_verified(make_config, tmp_path):
    settings = {"max_steps": 3, "n_layer": 1, "n_embd": 32, "gradient_checkpointing": True, **IN_BACKWARD}
    pretrain(make_config(output_dir=str(tmp_path / "run"), **settings))
    assert verify(tmp_path / "run").answer == "identical"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_grad_norm": 1.0}, "max_grad_norm 1 needs all gradients.*; set max_grad_norm to 0, or leave out"),
        ({"max_weight_norm": 2.0}, "max_weight_norm 2 needs all weights.*; set max_weight_norm to 0, or leave out"),
        (
            {"total_batch_size": 16},
            "total_batch_size 16 accumulates gradients.*; set total_batch_size to at most 8, or leave out",
        ),
    ],
)
def test_what_needs_all_gradients_is_refused(make_config, settings, message):
    with pytest.raises(UserError, match=message):
        make_config(**{**IN_BACKWARD, **settings})
    make_config(**{**IN_BACKWARD, **settings, "optimizer_in_bwd": False})


def test_several_processes_are_refused(make_config):
    class Two:
        num_processes, is_main_process, device = 2, True, torch.device("cpu")

    with pytest.raises(UserError, match="before 2 processes can add theirs up; start one process"):
        check_processes(make_config(**IN_BACKWARD), Two())
