"""Whatever the environment says, a training is what its settings say; where the two differ, one sentence says so."""

import os
import signal
import subprocess

import pytest
import torch
from accelerate import PartialState
from accelerate.state import AcceleratorState

from hf_llm.config import UserError, child_environment, python
from hf_llm.runs.manifest import new_manifest, read_manifest
from hf_llm.runs.run import hold_run
from hf_llm.training import launch, launcher_settings
from hf_llm.training.launch import asked_processes, is_first_process, local_processes, start_processes
from hf_llm.training.loop import train

PLACE = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "localhost",
         "MASTER_PORT": "29500"}  # fmt: skip


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Let accelerate, which reads the environment once in a process, read it anew, without what the tests' own says."""
    for name in [name for name in os.environ if name.startswith(("ACCELERATE_", *PLACE))]:
        monkeypatch.delenv(name)
    before = torch.get_float32_matmul_precision()
    AcceleratorState._reset_state(reset_partial_state=True)
    launcher_settings._warn.cache_clear()
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    torch.set_float32_matmul_precision(before)


def say(monkeypatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def undisturbed(make_config, make_tiny_task) -> list[float]:
    """The losses of a training to which nobody says anything."""
    config = make_config(max_steps=3)
    losses = [record["loss"] for record in train(make_tiny_task(config), config).records]
    AcceleratorState._reset_state(reset_partial_state=True)
    return losses


FOLLOWED_BY_ACCELERATE = [  # with the words of the sentence that each deserves
    ({"ACCELERATE_MIXED_PRECISION": "bf16"}, "ACCELERATE_MIXED_PRECISION=bf16, but precision is fp32"),
    ({"ACCELERATE_MIXED_PRECISION": "fp8"}, "ACCELERATE_MIXED_PRECISION=fp8"),
    ({"ACCELERATE_MIXED_PRECISION": "no", "ACCELERATE_DYNAMO_BACKEND": "NO"}, ""),  # as accelerate launch always says
    ({"ACCELERATE_DYNAMO_BACKEND": "INDUCTOR"}, "ACCELERATE_DYNAMO_BACKEND=inductor, but compile is off"),
    ({"ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4"}, "ACCELERATE_GRADIENT_ACCUMULATION_STEPS=4, but"),
    ({"ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "auto"}, ""),
    ({"ACCELERATE_GRADIENT_CLIPPING": "0.5"}, "but max_grad_norm is 1"),
    ({"ACCELERATE_TORCH_DEVICE": "meta"}, "ACCELERATE_TORCH_DEVICE=meta, but this is cpu"),
    ({"ACCELERATE_USE_FSDP": "true"}, "ACCELERATE_USE_FSDP=true, but each process holds the whole model"),
    ({"ACCELERATE_USE_DEEPSPEED": "true", "LOCAL_RANK": "0"}, "ACCELERATE_USE_DEEPSPEED=true"),
    ({"ACCELERATE_USE_MEGATRON_LM": "true"}, "ACCELERATE_USE_MEGATRON_LM=true"),
    ({"ACCELERATE_USE_PARALLELISM_CONFIG": "true", "PARALLELISM_CONFIG_TP_SIZE": "2"}, "PARALLELISM_CONFIG=true"),
    ({"ACCELERATE_DEBUG_MODE": "perhaps", "ACCELERATE_USE_CPU": "perhaps"}, ""),
    ({"ACCELERATE_CPU_AFFINITY": "1"}, ""),
]
LEFT_OVER = [
    {"MASTER_ADDR": "node-17"},
    {"MASTER_ADDR": "node-17", "MASTER_PORT": "none"},
    {"WORLD_SIZE": ""},
    {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"},
    {"WORLD_SIZE": "0"},
    {"RANK": "3"},
    {"RANK": "x", "LOCAL_RANK": "x", "LOCAL_WORLD_SIZE": "x"},
    {"LOCAL_RANK": "1"},
    {"LOCAL_WORLD_SIZE": "2"},
    {"LOCAL_WORLD_SIZE": ""},
    {"PMI_SIZE": "1", "PMI_RANK": "0"},
    {"OMP_NUM_THREADS": "1"},
    {"OMP_NUM_THREADS": "many"},
    {"CUDA_VISIBLE_DEVICES": ""},
    {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"},
]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [*FOLLOWED_BY_ACCELERATE, *((environment, "") for environment in LEFT_OVER)],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_it_trains_the_same(
    environment, sentence, undisturbed, make_config, make_tiny_task, tmp_path, monkeypatch, caplog
):
    say(monkeypatch, **environment)
    config, manifest = make_config(max_steps=3), new_manifest("test", {"seed": 0}, 1)
    with hold_run(tmp_path / "run", manifest, keep=1, restart=False) as run:
        records = train(make_tiny_task(config), config, run).records
    assert [record["loss"] for record in records] == undisturbed
    resolved = read_manifest(tmp_path / "run")["resolved"]
    assert (resolved["precision"], resolved["device"], resolved["threads"]) == ("fp32", "cpu", 1)
    said = [message for message in caplog.messages if "launcher's configuration is not followed" in message]
    assert len(said) == bool(sentence)
    assert sentence in "".join(said)
    assert {name: os.environ.get(name) for name in environment} == environment  # a caller's environment is its own


def test_an_accelerator_of_the_caller_does_not_change_the_training(make_config, make_tiny_task):
    """In a notebook it is there already, as its owner wants it: state and precision are one per process."""
    from accelerate import Accelerator

    def losses() -> list[float]:
        return [record["loss"] for record in train(make_tiny_task(make_config()), make_config()).records]

    alone = losses()
    Accelerator(cpu=True, mixed_precision="bf16")
    assert losses() == alone


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two', which is no number; unset WORLD_SIZE"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2 but there is no RANK, no LOCAL_RANK, no MASTER_ADDR, no MASTER_PORT"),
        ({**PLACE, "RANK": ""}, "WORLD_SIZE is 2 but there is no RANK, so no launcher started this"),
        ({**PLACE, "RANK": "2"}, "RANK is 2 of 2 processes"),
        ({**PLACE, "LOCAL_RANK": "x"}, "LOCAL_RANK is 'x', which is no number"),
        ({**PLACE, "MASTER_PORT": "x"}, "MASTER_PORT is 'x', which is no number"),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, "OMPI_COMM_WORLD_SIZE is 2, but mpirun does not start this"),
        ({"PMI_SIZE": "x"}, "PMI_SIZE is 'x', which is no number; unset PMI_SIZE"),
        ({"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}, "ONEDNN_DEFAULT_FPMATH_MODE is BF16, which rounds"),
    ],
    ids=lambda value: " ".join(map("=".join, value.items())) if isinstance(value, dict) else "",
)
def test_what_is_no_launch_is_refused(environment, sentence, monkeypatch):
    say(monkeypatch, **environment)
    with pytest.raises(UserError, match=sentence):
        start_processes()


def test_a_place_among_several(monkeypatch):
    assert (asked_processes(), local_processes(), is_first_process()) == (1, 1, True)
    say(monkeypatch, **PLACE)
    assert (asked_processes(), local_processes(), is_first_process()) == (2, 2, True)
    say(monkeypatch, RANK="1")
    assert not is_first_process()
    say(monkeypatch, WORLD_SIZE="1")  # the rest is left over
    assert (asked_processes(), local_processes(), is_first_process()) == (1, 1, True)


def test_processes_that_never_come_are_waited_for_with_a_sentence(monkeypatch, caplog):
    """As when all six variables are left over: torch waits for half an hour."""

    def wait(cpu: bool) -> PartialState:
        import time

        until = time.monotonic() + 10
        while not caplog.messages and time.monotonic() < until:
            time.sleep(0.01)
        raise RuntimeError("timed out\nat length")

    monkeypatch.setattr(launch, "PATIENCE", 0.01)
    monkeypatch.setattr(launch, "PartialState", wait)
    say(monkeypatch, **PLACE)
    with pytest.raises(UserError, match="the 2 processes of this launch could not join: timed out; unset WORLD_SIZE"):
        start_processes()
    assert "waiting at localhost:29500 for the others of 2 processes; if there are none, unset WORLD" in caplog.text


def test_compiling_that_is_switched_off_is_not_recorded_as_compiled(make_config, make_tiny_task, monkeypatch):
    say(monkeypatch, TORCH_COMPILE_DISABLE="1")
    with pytest.raises(UserError, match="compile is true, but TORCH_COMPILE_DISABLE switches"):
        train(make_tiny_task(make_config()), make_config(compile=True))


def test_products_are_not_rounded_on_the_way(monkeypatch):
    torch.set_float32_matmul_precision("medium")  # as TORCH_ALLOW_TF32_CUBLAS_OVERRIDE sets it when torch loads
    start_processes()
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_run_that_goes_on_elsewhere_says_so(make_config, make_tiny_task, tmp_path, caplog):
    config = make_config()
    manifest = new_manifest("test", {"seed": 0}, 1) | {"resolved": {"device": "Tesla V100", "precision": "bf16"}}
    with hold_run(tmp_path / "run", manifest, keep=1, restart=False) as run:
        train(make_tiny_task(config), config, run)
        assert run.manifest["resolved"] | {"threads": 1} == {
            "precision": "bf16", "compile": False, "attention": "sdpa", "threads": 1, "device": "cpu",
        }  # fmt: skip
    assert "the run began on Tesla V100 and goes on on cpu" in caplog.text


@pytest.mark.parametrize(
    ("program", "script"),
    [("scripts/finetune.py", "finetune"), ("hf-llm train_mnist", "train_mnist"), ("hf-llm verify", "pretrain")],
)
def test_the_launch_that_is_advised_is_of_the_command_that_runs(program, script, monkeypatch):
    monkeypatch.setattr("sys.argv", [program])
    say(monkeypatch, WORLD_SIZE="2")
    with pytest.raises(UserError, match=rf"cpu-2\.yaml scripts/{script}\.py$"):
        start_processes()


@pytest.mark.skipif(os.name != "posix", reason="Windows ends a process otherwise")
def test_ctrl_c_ends_the_waiting():
    """torch waits in C++, where Python's own handler is not heard."""
    code = (
        "import logging, os, signal, threading\n"
        "from hf_llm.training import launch\n"
        "launch.PATIENCE = 0.1\n"
        "class Interrupt(logging.Handler):\n"
        "    def emit(self, record): os.kill(os.getpid(), signal.SIGINT)\n"
        "launch.logger.addHandler(Interrupt())\n"
        "launch.start_processes(1)"
    )
    environment = {**PLACE, "RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "9"}
    done = subprocess.run(python("-c", code), env=child_environment(**environment), capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGINT
