"""`import hf_llm` and `--help` answer at once: what they load is looked at in a process of its own, not timed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hf_llm
from hf_llm.commands.program import COMMANDS, phrase

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "datasets", "evaluate", "accelerate", "matplotlib", "gradio", "pandas", "sklearn"}


def python(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")


def loaded_by(statement: str) -> set[str]:
    """Return the top names of the modules, other than Python's own, that a statement loads in a fresh interpreter."""
    source = f"""
import sys
before = set(sys.modules)
{statement}
print(*({{name.split(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names))
"""
    run = python("-c", source)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_the_package_loads_nothing_but_itself():
    assert loaded_by("import hf_llm") == {"hf_llm"}


def test_settings_load_neither_torch_nor_transformers():
    files = sorted((ROOT / "hf_llm").glob("*/*config.py"))
    loaded = loaded_by("; ".join(f"import hf_llm.{path.parent.name}.{path.stem}" for path in files))
    assert "hf_llm" in loaded
    assert not loaded & {*HEAVY, "transformers", "tokenizers"}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_the_command_and_loads_nothing_heavy(name):
    run = python("-X", "importtime", "-m", "hf_llm", name, "--help")
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in run.stderr.splitlines()}
    assert run.returncode == 0, run.stderr[-2000:]
    assert "hf_llm" in loaded
    assert not loaded & HEAVY
    assert run.stdout.startswith(f"usage: hf-llm {name} ")
    assert f"hf-llm {name}" in run.stdout.split("\n", 1)[1]  # an example
    assert re.search(r"--help\b", run.stdout)


def test_the_program_shows_every_command_and_loads_nothing_for_it():
    run = python("-X", "importtime", "-m", "hf_llm", "--help")
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in run.stderr.splitlines()}
    assert not loaded & {*HEAVY, "transformers"}
    files = {path.stem for path in (ROOT / "hf_llm" / "commands").glob("*.py")} - {"__init__", "program"}
    assert files == set(COMMANDS)
    for name in COMMANDS:
        assert re.search(rf"^  {name} +{re.escape(phrase(name))}$", run.stdout, flags=re.MULTILINE)


def test_a_name_loads_its_module_when_it_is_used():
    for name in hf_llm.__all__:
        assert getattr(hf_llm, name) is not None
    assert set(dir(hf_llm)) == set(hf_llm.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hf_llm.nothing  # noqa: B018
