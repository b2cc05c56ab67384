"""Two processes that each hold a share (FSDP2) do what one does alone, and what they save resumes on any number."""

import json
import logging
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from sharded_job import STOP, image_training, language_settings, language_training

from hf_llm.config import child_environment, python
from hf_llm.config.compiler import cpp_compiler
from hf_llm.data import BatchPlan, read_text
from hf_llm.runs.checkpoint import load_newest
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.prepare import prepare_corpus
from hf_llm.training.config import TrainingConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.optimizer import make_optimizer
from hf_llm.training.sharding import full, gathered, share_like, whole
from hf_llm.training.state import weights

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """The sample in files of 2,000 tokens, which are mapped."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [json.dumps({"text": text}) + "\n" for text in read_text("sample").text.split("\n\n")]
    (folder / "sample.jsonl").write_text("".join(lines), encoding="utf-8")
    settings = {"vocab_size": 301, "validation_per_mille": 200, "shard_tokens": 2000}  # rows that two do not divide
    prepare_corpus(
        PrepareCorpusConfig(files=[str(folder / "sample.jsonl")], output_dir=str(folder / "out"), **settings)
    )
    return folder / "out"


@pytest.fixture(scope="module")
def one(corpus) -> dict:
    """What one process does alone."""
    return language_training(language_settings(str(corpus)), start_processes(1))


@pytest.fixture(scope="module")
def together(corpus, tmp_path_factory) -> Path:
    """The folder in which two processes have done most of what sharded_job.py lists, in this order."""
    folder = tmp_path_factory.mktemp("together")
    language_training(language_settings(str(corpus)), start_processes(1), folder / "from-one", stop=True)
    do_together(corpus, folder, "two", "stopped", "from-one", "ddp", "from-ddp", "recomputed", "bf16", "images")
    return folder


def do_together(corpus: Path, folder: Path, *names: str) -> None:
    """Let two processes do trainings of sharded_job.py."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    place = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    job = python(str(Path(__file__).with_name("sharded_job.py")), str(corpus), str(folder), *names)
    processes = [
        subprocess.Popen(
            job, env=child_environment(**place, RANK=rank, LOCAL_RANK=rank, ACCELERATE_USE_CPU="1"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in "01"
    ]  # fmt: skip
    try:
        for process in processes:
            said, _ = process.communicate(timeout=500)
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.json").read_text())


def assert_same(result: dict, alone: dict, tolerance: float = TOLERANCE) -> None:
    """Compare the steps that `result` did with the last steps of a training alone."""
    for name in ("losses", "grad_norms", "validation"):
        assert result[name] == pytest.approx(alone[name][-len(result[name]) :], rel=tolerance), name
    assert result["sum"] == pytest.approx(alone["sum"], rel=tolerance)


def test_two_shares_do_what_one_process_does(one, together):
    two = read(together, "two")
    assert len(two["losses"]) == 20
    assert two["losses"][-1] < two["losses"][0] - 0.1
    assert_same(two, one)
    assert two["samples"] == one["samples"]


def test_each_process_holds_about_half(together):
    two = read(together, "two")
    held = two["manifest"]["held_bytes"]
    assert len(held) == 2
    for share in held:
        assert 0.45 < share["weights"] / (4 * two["parameters"]) < 0.55
        assert 0.45 < share["moments"] / (2 * 4 * two["parameters"]) < 0.55
    assert sum(share["weights"] for share in held) == 4 * two["parameters"]
    assert sum(share["moments"] for share in held) == 2 * 4 * two["parameters"]


def test_what_is_handed_back_is_a_plain_model(one, together):
    for name in ("two", "recomputed", "images"):
        result = read(together, name)
        assert result["plain"]
        assert result["tied"]
    assert (one["class"], read(together, "two")["class"]) == ("GPT2LMHeadModel", "GPT2LMHeadModel")


def test_the_checkpoint_is_the_one_of_a_training_alone(corpus, together, tmp_path):
    language_training(language_settings(str(corpus)), start_processes(1), tmp_path / "run")
    for file in ("model.safetensors", "optimizer.safetensors"):
        alone, two = (
            load_file(load_newest(folder / "checkpoints").folder / file)
            for folder in (tmp_path / "run", together / "two")
        )
        assert alone.keys() == two.keys()
        for name, tensor in alone.items():
            assert tensor.dtype == two[name].dtype, name
            torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-6)


def test_from_two_shares_to_one_process(corpus, one, together):
    assert f"stopped at step {STOP} of 20" in read(together, "stopped")["stopped"]  # one of them was told to
    resumed = language_training(language_settings(str(corpus)), start_processes(1), together / "from-two")
    assert resumed["manifest"]["resumed_from"] == [STOP]
    assert len(resumed["losses"]) == 20 - STOP
    assert_same(resumed, one)


@pytest.mark.parametrize("name", ["from-one", "from-ddp"])
def test_from_one_process_or_two_whole_models_to_two_shares(name, one, together):
    resumed = read(together, name)
    assert resumed["manifest"]["resumed_from"] == [STOP]
    assert len(resumed["losses"]) == 20 - STOP
    assert_same(resumed, one)


def test_it_goes_with_recomputed_activations_and_with_bf16(corpus, together):
    few = language_settings(str(corpus), max_steps=3)
    assert_same(read(together, "recomputed"), language_training(few, start_processes(1)))
    bf16 = language_training(replace(few, precision="bf16"), start_processes(1))
    assert_same(read(together, "bf16"), bf16, tolerance=1e-3)


@pytest.mark.skipif(cpp_compiler() is None, reason="there is no C++ compiler, so nothing is compiled")
@pytest.mark.slow
def test_its_blocks_can_be_compiled(corpus, tmp_path):
    do_together(corpus, tmp_path, "compiled")
    alone = language_training(language_settings(str(corpus), max_steps=3), start_processes(1))
    assert_same(read(tmp_path, "compiled"), alone)


def test_a_net_without_blocks_and_an_optimizer_with_a_bound_on_norms(together):
    settings = {
        "max_steps": 5, "total_batch_size": 8, "per_device_train_batch_size": 2, "optimizer": "sgd",
        "learning_rate": 0.1, "max_weight_norm": 0.5, "precision": "fp32", "threads": 1, "logging_steps": 1,
        "eval_steps": 5, "warmup_steps": 0,
    }  # fmt: skip
    bound = image_training(TrainingConfig(**settings), start_processes(1))
    free = image_training(TrainingConfig(**settings | {"max_weight_norm": 0.0}), start_processes(1))
    assert_same(read(together, "images"), bound)
    assert abs(bound["sum"] - free["sum"]) > 0.01 * free["sum"]  # the bound does something


def test_each_process_reads_its_own_windows_of_the_mapped_files(corpus, together):
    """What the second of two processes asked of the files: its share of each step's windows, and nothing else."""
    config = language_settings(str(corpus))
    tokens = json.loads((corpus / "corpus.json").read_text())["splits"]["train"]["tokens"]
    plans = [BatchPlan((tokens - 17) // 16 + 1, 8, 2, world_size=2, seed=config.seed) for _ in range(2)]
    drawn = [
        [int(sample) * 16 for step in range(20) for micro in range(2) for sample in plan.indices(step, micro, rank)]
        for rank, plan in enumerate(plans)
    ]
    asked = json.loads((together / "asked.json").read_text())
    kinds, starts, lengths = zip(*[window for window in asked if window[2] > 1])  # one token begins each document
    assert set(kinds) == {"memmap"}
    assert set(lengths) == {17}
    assert list(starts) == drawn[1]
    assert not set(starts[:4]) & set(drawn[0][:4])
    assert len(list(corpus.glob("train-*.npy"))) > 2


def test_one_process_has_nothing_to_shard_and_says_so(make_config, make_tiny_task, caplog):
    from hf_llm.training import launcher_settings
    from hf_llm.training.loop import train

    launcher_settings._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        sharded, alone = (
            train(make_tiny_task(make_config()), make_config(max_steps=2, shard=shard)) for shard in (True, False)
        )
    assert [r["loss"] for r in sharded.records] == [r["loss"] for r in alone.records]
    assert caplog.text.count("shard has no effect: there is one process") == 1


def test_tensors_that_are_not_shared_out_pass_as_they_are(make_config, make_tiny_task):
    config = make_config()
    model = make_tiny_task(config).model
    make_optimizer(model, config)
    with gathered(model):
        tensors = weights(model)
    assert whole(tensors, keep=False) == {}
    for name, tensor in whole(tensors, keep=True).items():
        assert tensor.data_ptr() == tensors[name].data_ptr()  # no copy
        assert full(tensor) is tensor
        assert share_like(tensor, tensors[name]) is tensor
