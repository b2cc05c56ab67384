"""`--push_to_hub` of the training scripts, as it is typed: the finished run goes up, a wrong name is said at once."""

from pathlib import Path

import pytest

SHORT = [
    "--max_steps", "2", "--warmup_steps", "0", "--eval_steps", "2", "--total_batch_size", "4",
    "--per_device_train_batch_size", "4", "--precision", "fp32", "--threads", "1",
]  # fmt: skip
SCRIPTS = {
    "pretrain.py": ["--corpus", "sample", "--model", "nano", "--vocab_size", "300", "--n_positions", "16"],
    "train_mnist.py": ["--data", "digits", "--hidden_sizes", "8"],
    "train_tokenizer.py": ["--corpus", "sample", "--vocab_size", "300"],
}
STEPS = {"pretrain.py", "train_mnist.py"}


def arguments_of(script: str, folder: Path) -> list[str]:
    return [*SCRIPTS[script], *(SHORT if script in STEPS else []), "--output_dir", str(folder / "run")]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_finished_run_goes_up(script, hub, heavy_scripts, tmp_path):
    push = ("--push_to_hub", "--hub_model_id", "me/run", "--hub_private_repo")
    done = heavy_scripts(script, *arguments_of(script, tmp_path), *push)
    assert done.returncode == 0, done.stderr
    assert f"{hub.url}/me/run/commit/" in done.stdout.splitlines()[-1]
    assert hub.repository("me/run").private


def test_a_hub_that_is_down_costs_the_run_nothing(hub, heavy_scripts, tmp_path):
    hub.fail("drop", "GET", "/api/", times=1000)
    arguments = arguments_of("train_mnist.py", tmp_path)
    done = heavy_scripts("train_mnist.py", *arguments, "--push_to_hub", "--hub_model_id", "me/run")
    assert done.returncode == 0
    assert (tmp_path / "run" / "model.safetensors").is_file()
    assert f"hf-llm hub push {tmp_path / 'run'} me/run" in done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--push_to_hub"], "set --hub_model_id"),
        (["--push_to_hub", "--hub_model_id", "me/run.git"], "no name on the Hub"),
    ],
)
def test_a_wrong_name_is_refused_before_the_training(script, heavy_scripts, words, message, tmp_path):
    done = heavy_scripts(script, *arguments_of(script, tmp_path), *words)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
