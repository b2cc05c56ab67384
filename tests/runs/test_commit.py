"""The commit that a result records: marked when the source differs from it, and not when another result does."""

import shutil
import subprocess

import pytest

from hf_llm.runs import manifest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on this machine")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository of its own in the place of the project's."""
    for name in ("hf_llm/runs/manifest.py", "pyproject.toml", "results/x/result.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "hf_llm/runs/manifest.py"))
    return tmp_path


def test_an_unchanged_source_has_its_commit(checkout):
    assert len(manifest.commit()) == 40


def test_a_changed_source_is_marked(checkout):
    (checkout / "pyproject.toml").write_text("2")
    assert manifest.commit().endswith("+")


def test_a_changed_result_is_no_change_of_the_source(checkout):
    (checkout / "results/x/result.json").write_text("2")
    assert len(manifest.commit()) == 40


def test_outside_of_a_checkout_there_is_none(checkout):
    shutil.rmtree(checkout / ".git")
    assert manifest.commit() is None
