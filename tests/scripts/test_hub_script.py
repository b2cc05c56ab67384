"""scripts/hub.py as it is typed, in a new process with the token in its environment."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_hub.server import HubServer

from hf_llm.tokenization.config import TrainTokenizerConfig
from hf_llm.tokenization.train import train_tokenizer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tokenizer(tmp_path):
    train_tokenizer(TrainTokenizerConfig(corpus="sample", vocab_size=300, output_dir=str(tmp_path / "tokenizer")))
    return tmp_path / "tokenizer"


def start(hub: HubServer, home: Path, *words, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "scripts/hub.py", *map(str, words)],
        cwd=ROOT, env=os.environ | hub.environment(home) | environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip


def run(hub: HubServer, home: Path, *words, **environment) -> tuple[int, str, str]:
    process = start(hub, home, *words, **environment)
    stdout, stderr = process.communicate()
    return process.returncode, stdout, stderr


def test_up_and_down_again(hub, tokenizer, tmp_path):
    code, said, errors = run(hub, tmp_path / "home", "push", tokenizer, "me/tokenizer")
    commit = hub.repository("me/tokenizer").branches["main"]
    assert (code, errors) == (0, "")
    assert said == (f"{tokenizer} → {hub.url}/me/tokenizer/commit/{commit}\ncommit {commit}, 3 files changed\n")
    code, said, errors = run(hub, tmp_path / "home", "pull", "me/tokenizer", tmp_path / "pulled")
    assert (code, errors) == (0, "")
    assert said.startswith(f"me/tokenizer at commit {commit} → {tmp_path / 'pulled'}\n3 files, ")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "pulled" / name).read_bytes() == (tokenizer / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "error: the following arguments are required: ACTION; see --help"),
        (["pul", "me/x", "x"], "error: argument ACTION: must be one of push, pull, space, not 'pul', did you mean"),
        (["push", "runs/none"], "error: the following arguments are required: REPO_ID; see --help"),
        (["push", "runs/none", "me/x", "--privat"], "error: unknown argument '--privat', did you mean '--private'?"),
        (["push", "a", "me/x", "--revision", "0" * 40], f"error: revision {'0' * 40} is a commit"),
        (["push", "a", "me/x", "--revision", "b", "--create_pr"], "error: a pull request is opened against main"),
        (["pull", "me/x", "x", "--max_gigabytes", "0"], "error: max_gigabytes must be greater than 0"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and value else "",
)
def test_what_cannot_be_meant(hub, scripts, words, message):
    done = scripts("hub.py", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert hub.requests == []


def test_help_names_the_action_and_its_settings(scripts):
    for action, flags in {
        "push": ("RUN", "--private", "--create_pr"),
        "pull": ("DIR", "--trust_remote_code"),
        "space": ("REPO_ID", "--runs"),
    }.items():
        done = scripts("hub.py", action, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith("usage: ")
        assert f"hub.py {action} " in done.stdout.splitlines()[0]
        assert all(flag in done.stdout for flag in flags)


def test_a_hub_that_is_not_there_is_said_at_once(tokenizer, tmp_path):
    with HubServer() as hub:
        pass
    code, said, errors = run(hub, tmp_path / "home", "push", tokenizer, "me/tokenizer")
    assert (code, said) == (2, "")
    assert errors.startswith(
        f"error: {tokenizer} was not pushed to me/tokenizer: the Hub at {hub.url} cannot be reached"
    )
    assert errors.endswith(f"; the command to try again: hf-llm hub push {tokenizer} me/tokenizer\n")


def test_offline_is_said(hub, tokenizer, tmp_path):
    _, _, errors = run(hub, tmp_path / "home", "push", tokenizer, "me/tokenizer", HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in errors
    assert hub.requests == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc")
def test_the_token_is_in_no_process_list_and_no_debug_log(hub, tokenizer, tmp_path):
    hub.fail("hang", "GET", "/api/models/", at=3)
    process = start(hub, tmp_path / "home", "push", tokenizer, "me/tokenizer", HF_DEBUG="1")
    while hub.faults[0].times and process.poll() is None:
        time.sleep(0.05)
    listed = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            listed.append(path.read_bytes())
        except OSError:  # it has ended meanwhile
            continue
    stdout, stderr = process.communicate()
    assert any(b"scripts/hub.py\0push" in words for words in listed)
    assert all(hub.token.encode() not in words for words in listed)
    assert re.search("authorization.*<TOKEN>", stderr)  # the debug log does show requests
    assert hub.token not in stdout + stderr
