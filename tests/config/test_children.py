"""What lies in a user's working folder under the name of a module of Python's, or of a library, is not imported."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hf_llm.app.server.quick_run import quick_run
from hf_llm.config import SOURCE, child_environment, python
from hf_llm.planning.matmul_probe import machine_speed
from hf_llm.runs.manifest import read_manifest

MODULES = ("random", "tokenize", "token", "string", "json", "re", "statistics", "numpy", "torch", "yaml", "accelerate")
LIBRARIES = ("datasets", "evaluate", "transformers")  # as a folder of the user's own
TINY = (
    "--corpus=sample", "--model=nano", "--vocab_size=260", "--n_layer=1", "--n_head=2", "--n_embd=16",
    "--n_positions=16", "--max_steps=2", "--warmup_steps=1", "--total_batch_size=4", "--precision=fp32", "--threads=1",
    "--per_device_train_batch_size=4", "--sample_tokens=2", "--eval_tokens=200", "--output_dir=run",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working folder whose files end whoever imports them; this process is in it."""
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the working folder')\n")
    for name in LIBRARIES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name}/ of the working folder')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["-m", "hf_llm", "pretrain"], str(SOURCE)),
        (["-m", "hf_llm", "pretrain"], os.pathsep + str(SOURCE)),  # an empty entry is the working folder again
        ([str(SOURCE / "scripts" / "pretrain.py")], os.pathsep.join(["", str(SOURCE), "."])),
    ],
    ids=["-m", "-m and an empty entry", "script and an empty entry"],
)
def test_a_training_plans_and_trains(folder, words, path):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, *words, *TINY], env=environment | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "GFLOP/s of fp32 matrix products" in done.stdout  # the plan's probe ran in a process of its own
    assert read_manifest(folder / "run")["flops_utilisation"] > 0


def test_a_probe_and_a_visitors_experiment(folder, monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # as each command sets it
    machine_speed.cache_clear()
    assert machine_speed("fp32", 1).flops > 0
    progress = quick_run("backprop", "out", 60)
    done, total = next(filter(any, progress))  # (0, 0) while the libraries load
    progress.close()
    assert 0 <= done <= total


def test_what_multiprocessing_starts(folder):
    """In a command: the app runs a visitor's experiment so."""
    code = (
        "import multiprocessing, os; from hf_llm.config import command\n"
        "def main():\n"
        "    process = multiprocessing.get_context('spawn').Process(target=os.getcwd)\n"
        "    process.start(); process.join(); return process.exitcode\n"
        "if __name__ == '__main__': command(main)()"
    )
    (folder / "program.py").write_text(code)
    done = subprocess.run(python("program.py"), env=os.environ | {"PYTHONPATH": str(SOURCE)}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_variables_of_a_child(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "mine", "."]))
    made = child_environment(OMP_NUM_THREADS="1")
    assert made["PYTHONPATH"].split(os.pathsep) == [str(SOURCE), str(tmp_path / "mine")]
    assert (made["PYTHONSAFEPATH"], made["OMP_NUM_THREADS"]) == ("1", "1")
    asked = "import json, sys; print(json.dumps([sys.path[:2], sys.flags.safe_path]))"
    path, safe = json.loads(subprocess.check_output(python("-c", asked), env=made))
    assert (path, safe) == ([str(SOURCE), str(tmp_path / "mine")], True)


def test_every_python_is_started_by_this_rule():
    """A script of its own that is named by its path needs none of it: Python then looks into the script's folder."""
    scripts = {"config/children.py", "config/command.py", "benchmarks/fork_server.py", "benchmarks/hub_faults/hub.py",
               "hub/space.py"}  # fmt: skip
    package = SOURCE / "hf_llm"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"sys\.executable", path.read_text(encoding="utf-8"))
    }
    assert found == scripts
