"""`hf-llm`: its commands, a mistyped name, what a shell is offered, and configs by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hf_llm.config import UserError, find_config, program
from hf_llm.config.files import config_names

ROOT = Path(__file__).parents[2]


def hf_llm(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "hf_llm", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
        **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pretrian"], "error: there is no command 'pretrian', did you mean 'pretrain'?\n"),
        (["--nothing"], "error: the following arguments are required: command; see hf-llm --help\n"),
        (["pretrain", "--config", "gpt2/verdcit"], "error: config file gpt2/verdcit does not exist; did you mean"),
    ],
)
def test_a_mistake_is_one_line(arguments, said):
    run = hf_llm(*arguments)
    assert run.returncode == 2
    assert run.stderr.startswith(said)
    assert run.stderr.count("\n") == 1


def test_without_a_command_it_shows_its_help():
    run = hf_llm()
    assert run.returncode == 2
    assert run.stdout.startswith("usage: hf-llm COMMAND")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("hf-llm pre", {"pretrain", "prepare_corpus"}),
        ("hf-llm generate --mod", {"--model"}),
        ("hf-llm pretrain --precision ", {"auto", "bf16", "fp32"}),
    ],
)
def test_a_shell_completes_commands_and_flags(line, offered, tmp_path):
    answer = tmp_path / "answer"
    asked = {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": answer,
    }
    run = hf_llm(env=os.environ | {name: str(value) for name, value in asked.items()})
    assert run.returncode == 0, run.stderr
    assert set(answer.read_text().replace(" ", "").split("\v")) == offered


def test_a_command_to_paste_names_the_program_as_this_shell_finds_it(tmp_path, monkeypatch):
    there, names = tmp_path / "env" / "bin", {"posix": "hf-llm", "nt": "hf-llm.exe"}
    there.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.executable", str(there / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == "python -m hf_llm"
    (there / names[os.name]).touch(mode=0o755)
    assert Path(program()) == Path("env", "bin", names[os.name])
    monkeypatch.setenv("PATH", str(there))
    assert program() == "hf-llm"


def test_a_config_is_found_by_its_name_and_here_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {"gpt2/verdict", "mnist/mlp", "finetune/sms-spam"} <= set(config_names())
    assert find_config("gpt2/verdict").read_bytes() == (ROOT / "configs/gpt2/verdict.yaml").read_bytes()
    own = tmp_path / "configs" / "gpt2" / "verdict.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("max_steps: 3\n")
    assert find_config("gpt2/verdict").resolve() == own
    assert find_config(own) == own
    with pytest.raises(UserError, match="did you mean mnist/lenet"):
        find_config("configs/mnist/lenett.yaml")
