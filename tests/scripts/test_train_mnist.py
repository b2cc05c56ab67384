"""scripts/train_mnist.py as it is typed: one process and two, and one sentence for bad input."""

import gzip
import json
import re

import numpy as np
import pytest
from test_pretrain_script import log_without_times, run

from hf_llm.benchmarks.fork_server import Scripts
from hf_llm.data.sources import SOURCES

TINY = [
    "--data=digits", "--hidden_sizes", "16", "--max_steps=6", "--total_batch_size=16", "--learning_rate=1e-3",
    "--per_device_train_batch_size=8", "--eval_steps=3", "--logging_steps=1", "--warmup_steps=1", "--threads=1",
]  # fmt: skip
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = (file.path.rsplit("/", 1)[1] for file in SOURCES["mnist"])


@pytest.fixture(scope="module")
def scripts():
    with Scripts() as scripts:
        yield scripts


def test_two_processes_train_as_one(scripts, tmp_path):
    one = scripts("train_mnist.py", *TINY, f"--output_dir={tmp_path / 'one'}")
    assert one.returncode == 0, one.stderr
    assert "95 % interval" in one.stdout
    launched = run(
        "-m", "accelerate.commands.launch", "--config_file", "configs/accelerate/cpu-2.yaml", "scripts/train_mnist.py",
        *TINY, f"--output_dir={tmp_path / 'two'}",
    )  # fmt: skip
    assert launched.returncode == 0, launched.stderr
    manifest = json.loads((tmp_path / "two" / "run.json").read_text(encoding="utf-8"))
    assert manifest["world_size"] == 2
    logs = [log_without_times(tmp_path / name) for name in ("one", "two")]
    assert [line["learning_rate"] for line in logs[0]] == [line["learning_rate"] for line in logs[1]]
    for lines in zip(*logs):
        assert lines[0]["loss"] == pytest.approx(lines[1]["loss"], rel=1e-5)


def idx(array: np.ndarray) -> bytes:
    header = [0x800 + array.ndim, *array.shape]
    return b"".join(number.to_bytes(4, "big") for number in header) + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    """Four good IDX files of 40 and 20 images."""
    random = np.random.default_rng(0)
    folder = tmp_path / "idx"
    folder.mkdir()
    for images, labels, count in ((IMAGES, LABELS, 40), (TEST_IMAGES, TEST_LABELS, 20)):
        (folder / images).write_bytes(gzip.compress(idx(random.integers(0, 256, (count, 28, 28)))))
        (folder / labels).write_bytes(gzip.compress(idx(np.arange(count) % 10)))
    return folder


def test_a_folder_of_idx_files_can_be_trained_on(scripts, folder, tmp_path):
    result = scripts("train_mnist.py", *TINY, f"--data={folder}", f"--output_dir={tmp_path / 'run'}")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (IMAGES, lambda good: gzip.compress(b"\0\0\7\7" + gzip.decompress(good)[4:]), "starts with 0x00000707"),
        (IMAGES, lambda good: good[: len(good) // 2], "cut off|truncated|damaged|ends"),
        (IMAGES, lambda good: gzip.compress(gzip.decompress(good)[:-1]), "bytes"),
        (TEST_IMAGES, lambda _: gzip.compress(idx(np.zeros((20, 20, 20)))), "28x28"),
        (LABELS, lambda _: gzip.compress(idx(np.full(40, 11))), "0 to 9"),
        (TEST_LABELS, lambda _: gzip.compress(idx(np.zeros(19))), "19 labels"),
        (LABELS, lambda _: None, "lacks"),
    ],
)
def test_damaged_idx_files_get_a_sentence(scripts, folder, tmp_path, name, content, said):
    changed = content((folder / name).read_bytes())
    (folder / name).unlink() if changed is None else (folder / name).write_bytes(changed)
    refused(scripts, tmp_path, said, f"--data={folder}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dropout=1.5"], "dropout must be at least 0 and below 1, not 1.5"),
        (["--hidden_sizes", "0"], "at least 1 unit"),
        (["--hidden_sizes", "16", "-4"], "at least 1 unit|not -4|hidden_sizes"),
        (["--model=lenet", "--batch_norm", "true", "--hidden_sizes", "16", "16"], "batch_norm"),
        (["--model=resnet", "--dropout=0.5"], "dropout|hidden_sizes"),
        (["--model=lenett"], "did you mean 'lenet'"),
        (["--data=mnits"], "did you mean 'mnist'"),
        (["--data=pyproject.toml"], "not a folder"),
        (["--train_images=100000"], "cannot draw"),
        (["--train_images=0"], "train_images must be at least 1"),
        (["--validation_fraction=1"], "validation_fraction must be at least 0 and below 1"),
        (["--validation_fraction=0", "--early_stopping_patience=2"], "early stopping needs validation images"),
        (["--elastic=-1"], "elastic must be"),
        (["--max_weight_norm=inf"], "max_weight_norm must be"),
        (["--total_batch_size=12"], "nearest that does is"),
        (["--learning_rate=1e30"], "no longer a finite number"),
    ],
)
def test_settings_that_cannot_be_get_a_sentence(scripts, tmp_path, words, said):
    refused(scripts, tmp_path, said, *words)


def refused(scripts, tmp_path, said, *words):
    result = scripts("train_mnist.py", *TINY, f"--output_dir={tmp_path / 'run'}", *words)
    assert result.returncode == 2, result.stdout + result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "Traceback" not in result.stderr
    assert re.search(said, errors[0]), errors[0]
