"""scripts/pretrain.py from end to end, with one process and with two, as the README writes it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.log import TIMES
from hf_llm.training.config import PretrainConfig

ROOT = Path(__file__).parents[2]
TINY = [
    "--corpus=sample", "--model=nano", "--vocab_size=300", "--n_positions=32", "--n_embd=32", "--dropout=0",
    "--max_steps=12", "--total_batch_size=8", "--per_device_train_batch_size=4", "--warmup_steps=4",
    "--eval_steps=6", "--logging_steps=1", "--sample_tokens=8", "--precision=fp32", "--threads=1",
]  # fmt: skip


def run(*words, **environment) -> subprocess.CompletedProcess:
    """Run a command in the project's root, with a clean launch environment."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ACCELERATE_", "OMP_"))}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def launch(config: str | Path, *words) -> subprocess.CompletedProcess:
    """`accelerate launch --config_file CONFIG scripts/pretrain.py …`, by this environment's accelerate."""
    return run("-m", "accelerate.commands.launch", "--config_file", config, "scripts/pretrain.py", *words)


def log_without_times(folder: Path) -> list[dict]:
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("one") / "run"
    result = run("scripts/pretrain.py", *TINY, f"--output_dir={folder}")
    assert result.returncode == 0, result.stderr
    (folder.parent / "stdout").write_text(result.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("two") / "run"
    result = launch("configs/accelerate/cpu-2.yaml", *TINY, f"--output_dir={folder}")
    assert result.returncode == 0, result.stderr
    return folder


def test_the_run_folder_holds_what_the_contract_names(one):
    for name in ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
                 "tokenizer_config.json", "README.md", "run.json", "log.jsonl", "figures/loss.png"):  # fmt: skip
        assert (one / name).is_file(), name
    manifest = json.loads((one / "run.json").read_text(encoding="utf-8"))
    for name in ("command", "config", "seed", "data", "tokenizer", "model", "environment", "resolved", "files",
                 "commit", "metrics", "wall_seconds", "tokens_per_second", "flops_utilisation", "peak_memory_bytes",
                 "world_size", "resumed_from"):  # fmt: skip
        assert name in manifest, name
    assert {"loss", "perplexity", "bits_per_byte", "step"} <= manifest["metrics"]["validation"].keys()
    first, *_, last = log_without_times(one)
    assert {"step", "loss", "learning_rate", "grad_norm"} <= first.keys()
    assert {"validation_loss", "bits_per_byte", "sample"} <= last.keys()


def test_it_tells_what_it_plans_what_it_measured_and_where_things_are(one):
    stdout = (one.parent / "stdout").read_text(encoding="utf-8")
    assert re.search(r"measured.*s per step.*predicted", stdout)
    for word in ("sample", "parameters", "tokens per second", "bits per byte", str(one), "hf-llm generate"):
        assert word in stdout, word


def test_a_second_call_reports_and_does_not_start_over(one):
    before = (one / "run.json").stat().st_mtime_ns
    result = run("scripts/pretrain.py", *TINY, f"--output_dir={one}")
    assert result.returncode == 0, result.stderr
    assert "bits per byte" in result.stdout
    assert (one / "run.json").stat().st_mtime_ns == before


def test_transformers_alone_loads_it_and_writes_the_same_greedy_text(one):
    alone = """
import sys
sys.modules["hf_llm"] = None  # importing it raises
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
ids = tokenizer("Seu Firmino", return_tensors="pt").input_ids
new = model.generate(ids, max_new_tokens=16, do_sample=False)[0, ids.shape[1]:]
print(tokenizer.decode(new), end="")
"""
    theirs = run("-c", alone, one)
    ours = run(
        "scripts/generate.py", "--model", one, "--prompt", "Seu Firmino", "--max_new_tokens", 16, "--no_do_sample"
    )
    assert theirs.returncode == 0, theirs.stderr
    assert ours.returncode == 0, ours.stderr
    assert theirs.stdout
    assert ours.stdout.rstrip("\n").endswith(theirs.stdout.rstrip("\n"))


def test_two_processes_do_what_one_does(one, two):
    manifest = json.loads((two / "run.json").read_text(encoding="utf-8"))
    assert manifest["world_size"] == 2
    for alone, together in zip(log_without_times(one), log_without_times(two), strict=True):
        assert together["learning_rate"] == alone["learning_rate"]
        assert abs(together["loss"] - alone["loss"]) <= 1e-5 * alone["loss"]


def test_torchrun_under_another_launchers_configuration_gives_the_same_two(two, tmp_path):
    """bf16, sharding and compilation, as `accelerate config` may have written them into its user's home."""
    wishes = {
        "ACCELERATE_MIXED_PRECISION": "bf16", "ACCELERATE_DYNAMO_BACKEND": "INDUCTOR", "ACCELERATE_USE_FSDP": "true",
        "FSDP_CPU_RAM_EFFICIENT_LOADING": "true", "OMP_NUM_THREADS": "many",
    }  # fmt: skip
    torchrun = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29617")
    result = run(*torchrun, "scripts/pretrain.py", *TINY, f"--output_dir={tmp_path / 'run'}", **wishes)
    assert result.returncode == 0, result.stderr
    assert log_without_times(tmp_path / "run") == log_without_times(two)
    assert file_sha256(tmp_path / "run" / "model.safetensors") == file_sha256(two / "model.safetensors")
    assert json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["resolved"]["precision"] == "fp32"
    assert result.stderr.count("ACCELERATE_MIXED_PRECISION=bf16, but precision is fp32") == 1


def test_accelerate_launch_of_one_process_in_a_shell_with_a_masters_address(one, tmp_path):
    words = ("scripts/pretrain.py", *TINY, f"--output_dir={tmp_path / 'run'}")
    launched = ("-m", "accelerate.commands.launch", "--config_file", "configs/accelerate/cpu-1.yaml")
    result = run(*launched, *words, MASTER_ADDR="node-17", MASTER_PORT="29500", RANK="3")
    assert result.returncode == 0, result.stderr
    assert file_sha256(tmp_path / "run" / "model.safetensors") == file_sha256(one / "model.safetensors")


def test_two_processes_share_the_batch_of_one(one):
    """The windows that each process trains on in a step, as the recipe hands them out with one process and with two."""
    config = PretrainConfig(**json.loads((one / "run.json").read_text(encoding="utf-8"))["config"])
    inputs = read_inputs(config)

    def windows(world_size: int, step: int, rank: int) -> list[tuple]:
        task = make_task(config, *inputs, world_size)
        batches = [task.batch(step, micro_step, rank)["input_ids"] for micro_step in range(task.plan.accumulation)]
        return [tuple(window.tolist()) for batch in batches for window in batch]

    for step in range(config.max_steps):
        left, right, both = windows(2, step, 0), windows(2, step, 1), windows(1, step, 0)
        assert len(set(both)) == config.total_batch_size
        assert not set(left) & set(right)
        assert sorted(left + right) == sorted(both)


def test_a_launch_that_became_one_process_is_refused_with_the_command_that_works(tmp_path):
    config = tmp_path / "multi-cpu.yaml"
    config.write_text(
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_CPU\nuse_cpu: true\nnum_machines: 1\n"
        "num_processes: 2\nmachine_rank: 0\nmain_training_function: main\nmixed_precision: 'no'\n"
    )
    result = launch(config, *TINY, f"--output_dir={tmp_path / 'run'}")
    assert result.returncode != 0
    assert "accelerate launch --config_file configs/accelerate/cpu-2.yaml scripts/pretrain.py" in result.stderr
    assert not (tmp_path / "run").exists()


def test_verify_answers_identical_and_notices_a_changed_file(one):
    result = run("scripts/verify.py", one)
    assert (result.returncode, result.stdout.splitlines()[0]) == (0, "identical"), result.stderr
    card = one / "README.md"
    original = card.read_bytes()
    card.write_bytes(original + b" ")
    changed = run("scripts/verify.py", one)
    card.write_bytes(original)
    assert changed.returncode == 1
    assert "README.md is not the file that the run wrote" in changed.stdout
