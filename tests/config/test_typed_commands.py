"""Commands that are printed survive being pasted into a shell."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hf_llm.config import flag, read_back, typed

WORDS = [
    "hf-llm", "runs/meu modelo", "coração", "a;b&c|d", "$HOME `x`", "it's \"mine\"", "*[2024]?", "a\\b", "one\ntwo",
    "caf\udce9", "--prompt=- a", "", "🙂", "tab\there", "\x1b[2J", "~/run",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on this machine")
@pytest.mark.parametrize("word", WORDS)
def test_a_shell_reads_back_the_words(word):
    command = typed("printf", r"%s\0", word, "end")
    assert "\n" not in command
    assert command.isprintable()
    printed = subprocess.run(["bash", "-c", command], capture_output=True).stdout
    assert [os.fsdecode(each) for each in printed.split(b"\0")] == [word, "end", ""]


def test_so_do_we():
    assert read_back(typed(*WORDS)) == WORDS
    assert read_back('hf-llm pretrain --output_dir "my runs/x"') == ["hf-llm", "pretrain", "--output_dir", "my runs/x"]
    assert read_back("a quote that is not 'closed") == ["a", "quote", "that", "is", "not", "'closed"]


def test_what_begins_with_a_dash_is_no_flag():
    assert typed("hf-llm", "verify", Path("-run")) == "hf-llm verify ./-run"
    assert flag("model", Path("-run")) == ["--model", "./-run"]
    assert flag("prompt", "-run") == ["--prompt=-run"]
