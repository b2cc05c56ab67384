"""What counts as a secret, wherever in a file it stands."""

import errno
import json
import os

import pytest

from hf_llm.config import UserError
from hf_llm.hub import safety
from hf_llm.hub.safety import refuse_secrets

SECRETS = {
    "a token of the Hub": "hf_" + "Ab1" * 12,
    "a token of a login": "hf_oauth_eyJhbGciOiJFZERTQSJ9" + "Ab1" * 8 + ".eyJ.x-y",
    "a token of GitHub": "ghp_" + "a" * 36,
    "a key of AWS": "AKIA" + "Q7" * 8,
    "a key of an AI service": "sk-proj-" + "a1" * 20,
    "a token of Slack": "xoxb-" + "1234567890-" * 2,
    "a private key": "-----BEGIN PGP PRIVATE KEY BLOCK-----",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("before", ["", "TOKEN=", "a note\n", "\t", '"', "HF_TOKEN_"], ids=repr)
def test_a_secret_in_a_text_and_in_json(tmp_path, secret, before):
    for content in (f"{before}{secret}\n", json.dumps({"note": f"{before}{secret}\nand more"})):
        (tmp_path / "note").write_text(content)
        if before == "HF_TOKEN_" and secret.startswith(("AKIA", "sk-")):
            continue  # these are too like a part of any other word
        with pytest.raises(UserError, match="note holds something like a") as raised:
            refuse_secrets(tmp_path)
        assert secret not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["hf_llm", "hf_hub_download_and_more", "a task-specific-tokenizer-of-a-great-length-indeed", "AKIA", "xoxo"]
)
def test_a_word_is_no_secret(tmp_path, text):
    (tmp_path / "note").write_text(json.dumps(f"{text}\n{text}"))
    refuse_secrets(tmp_path)


def test_the_own_token_of_any_form(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "my own (token)")
    (tmp_path / "note").write_text("xmy own (token)x")
    with pytest.raises(UserError, match="your token of the Hub"):
        refuse_secrets(tmp_path)


def test_a_disk_that_shares_no_map_is_searched_all_the_same(tmp_path, monkeypatch):
    """FUSE with direct_io; what it answers was seen on one."""
    (tmp_path / "note").write_text(SECRETS["a token of GitHub"])
    real = safety.mmap

    def private(*arguments, access):
        if access == safety.ACCESS_READ:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return real(*arguments, access=access)

    monkeypatch.setattr(safety, "mmap", private)
    with pytest.raises(UserError, match="note holds something like a"):
        refuse_secrets(tmp_path)
