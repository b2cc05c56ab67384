"""The README's commands exist as written: scripts, flags, targets, config files, names."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import hf_llm

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(?:bash|powershell)\n(.*?)```", README, flags=re.DOTALL)
LINES = [line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
SCRIPT_LINES = [line for line in LINES if "scripts/" in line]


@cache
def help_of(script: str) -> str:
    result = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_there_are_commands_to_check():
    assert len(SCRIPT_LINES) >= 10


@pytest.mark.parametrize("line", SCRIPT_LINES)
def test_scripts_know_the_flags(line):
    words = shlex.split(line)
    place = next(i for i, word in enumerate(words) if word.startswith("scripts/"))
    text = help_of(words[place])
    for word in words[place + 1 :]:
        if word.startswith("--"):
            assert re.search(rf"(?<![\w-]){re.escape(word.split('=')[0])}\b", text), word


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"(?:configs|scripts|docs|results|hf_llm)/[\w./-]+\.\w+", README)))
)
def test_files_that_it_names_exist(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", sorted({line.split()[1] for line in LINES if line.startswith("make ")}))
def test_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_names_that_it_imports_exist():
    for names in re.findall(r"^from hf_llm import (.*)$", README, flags=re.MULTILINE):
        for name in names.split(","):
            assert getattr(hf_llm, name.strip())
