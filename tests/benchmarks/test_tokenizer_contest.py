"""The contests of tokenizers and of starting: who takes part, on what, and what becomes of one that fails."""

import json

import pytest

from hf_llm.benchmarks import startup, tokenizer
from hf_llm.benchmarks.fresh_process import run_to_end
from hf_llm.config import UserError, python
from hf_llm.tokenization.tokenizer import train_bpe


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A text, and a tokenizer that was trained on it."""
    monkeypatch.setattr(tokenizer, "SOURCES", ("sample",))
    monkeypatch.setattr(tokenizer, "VOCAB_SIZE", 600)
    assert tokenizer.make_text(tmp_path / "text.txt", 50_000) == ["sample"]
    train_bpe((tmp_path / "text.txt").read_text(encoding="utf-8"), 600).save_pretrained(tmp_path / "ours")
    return tmp_path


def test_the_text_is_the_same_each_time_and_has_ever_new_words(folder):
    text = (folder / "text.txt").read_bytes()
    assert 50_000 <= len(text) < 60_000
    tokenizer.make_text(folder / "text.txt", 100_000)
    longer = (folder / "text.txt").read_bytes()
    assert longer.startswith(text)
    assert len(set(longer.split())) > len(set(text.split())) + 150


@pytest.mark.parametrize("work", tokenizer.WORKS)
def test_all_make_a_vocabulary_of_one_size_and_encode_the_same_text(folder, work):
    results = {}
    for name, prepare in tokenizer.WORKS[work].items():
        try:
            results[name] = prepare(folder)()
        except ImportError:
            continue
    assert len(results) >= 4
    ours = results["ours"]
    assert results == {name: pytest.approx(ours, rel=0.01) for name in results}


def test_one_that_takes_minutes_takes_part_once(folder, monkeypatch):
    asked = []

    def in_fresh_process(module, work, name, folder):
        asked.append(name)
        return {"seconds": {"quick": 2.0, "slow": 61.0}[name], "cpu_seconds": 3.0, "peak_bytes": 5e6, "result": 7}

    monkeypatch.setattr(tokenizer, "in_fresh_process", in_fresh_process)
    monkeypatch.setitem(tokenizer.WORKS, "training", dict.fromkeys(["quick", "slow"]))
    figures = tokenizer.contest("training", folder)["figures"]
    assert (asked.count("quick"), asked.count("slow")) == (1 + tokenizer.ROUNDS, 1)
    assert {name: (of["seconds"], of["rounds"]) for name, of in figures.items()} == {
        "quick": (2.0, tokenizer.ROUNDS), "slow": (61.0, 1)
    }  # fmt: skip


def test_one_that_fails_or_is_not_installed_is_listed(folder, monkeypatch):
    answers = {
        "ours": {"seconds": 2.0, "cpu_seconds": 3.0, "peak_bytes": 5e6, "result": 7},
        "missing": {"left_out": "No module named 'missing'"},
    }

    def in_fresh_process(module, work, name, folder):
        if name not in answers:
            raise UserError(f"{name} failed with 1")
        return answers[name]

    monkeypatch.setattr(tokenizer, "in_fresh_process", in_fresh_process)
    monkeypatch.setitem(tokenizer.WORKS, "training", dict.fromkeys(["ours", "missing", "broken"]))
    found = tokenizer.contest("training", folder)
    assert found["failed"] == {"missing": "No module named 'missing'", "broken": "broken failed with 1"}
    assert found["figures"].keys() == {"ours"}
    assert found["figures"]["ours"]["megabytes_per_second"] == pytest.approx(0.025, abs=0.005)


def test_the_peak_is_of_the_work_alone():
    """In a process of its own: the system may take pages of a large one from it meanwhile."""
    code = """
import json
from hf_llm.benchmarks.fresh_process import measured
print(json.dumps([measured(lambda: len(bytearray(300_000_000))), measured(lambda: 1)]))
"""
    first, again = json.loads(run_to_end(python("-c", code)))
    assert first["result"] == 300_000_000
    assert first["peak_bytes"] > 200_000_000  # some of it may have been freed before, and is there
    assert again["peak_bytes"] < 100_000_000


def test_a_command_that_fails_is_listed_with_its_last_line(monkeypatch):
    monkeypatch.setattr(startup, "ROUNDS", 1)
    given = {"good": python("-c", ""), "bad": python("-c", "raise ValueError('so bad')")}
    timings, failed = startup.contest(given)
    assert timings.keys() == {"good"}
    assert failed == {"bad": "ValueError: so bad"}


def test_what_is_started():
    names = startup.commands("runs/model").keys()
    assert {"import hf_llm", "hf-llm --help", "hf-llm generate, one token", "transformers pipeline, one token"} <= names
