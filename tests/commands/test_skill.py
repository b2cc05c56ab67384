"""SKILL.md, which tells an assistant how to use the toolkit: short, and each of its commands does what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import hf_llm
from hf_llm.commands.program import COMMANDS
from hf_llm.experiments.config import EXPERIMENTS

SKILL = Path(hf_llm.__file__).with_name("SKILL.md").read_text(encoding="utf-8")


def test_it_is_short_and_names_what_there_is():
    assert len(SKILL.splitlines()) <= 150
    assert re.match(r"---\nname: hf-llm\ndescription: .{50,1024}\n---\n", SKILL)
    for name in re.findall(r"hf-llm (\w+)", SKILL):
        assert name in COMMANDS, name
    listed = SKILL.split("both languages: ")[1].split(" and others")[0]
    assert set(re.findall(r"`([\w-]+)`", listed)) < set(EXPERIMENTS)


@pytest.mark.slow
def test_its_commands_run_in_their_order_in_an_empty_folder(tmp_path):
    commands = re.findall(r"^hf-llm .*$", "\n".join(re.findall(r"```bash\n(.*?)```", SKILL, re.DOTALL)), re.MULTILINE)
    assert len(commands) >= 7
    for line in commands:
        _, *arguments = shlex.split(line)
        run = subprocess.run(
            [sys.executable, "-P", "-m", "hf_llm", *arguments], cwd=tmp_path, capture_output=True, text=True,
            encoding="utf-8", env=os.environ | {"PYTHONPATH": str(Path(hf_llm.__file__).parents[1])},
        )  # fmt: skip
        assert run.returncode == 0, f"{line}\n{run.stderr[-2000:]}"
    assert (tmp_path / "runs" / "first" / "model.safetensors").is_file()
