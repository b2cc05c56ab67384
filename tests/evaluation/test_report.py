"""scripts/evaluate_lm.py as it is typed: one JSON object on stdout."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from hf_llm.config import UserError
from hf_llm.data import read_text, split_text
from hf_llm.evaluation.baselines import baselines
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.evaluation.config import EvaluateConfig
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.tokenizer import encode_document, train_bpe

SCRIPT = Path(__file__).parents[2] / "scripts" / "evaluate_lm.py"


@pytest.fixture
def folder(model, tokenizer, tmp_path) -> Path:
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["evaluate_lm.py", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    printed = capsys.readouterr()
    return exit.value.code, printed.out, printed.err


@pytest.mark.parametrize("split", ["validation", "train", "all"])
def test_the_part_that_was_asked_for(folder, model, tokenizer, monkeypatch, capsys, split):
    flags = [
        "--model",
        str(folder),
        "--corpus",
        "sample",
        "--split",
        split,
        "--eval_tokens",
        "200",
        "--eval_stride",
        "8",
    ]
    code, out, _ = run(monkeypatch, capsys, *flags, "--max_new_tokens", "30", "--prompt", "A")
    report, corpus = json.loads(out), read_text("sample")
    training, validation = split_text(corpus.text)
    part = {"train": training, "validation": validation, "all": corpus.text}[split]
    expected = evaluate_tokens(
        model, encode_document(tokenizer, part), token_byte_lengths(tokenizer), 8, 16, max_tokens=200, interval=True
    )
    assert code == 0
    assert {name: report[name] for name in vars(expected)} == vars(expected)
    assert report["corpus_sha256"] == corpus.sha256
    assert report["read"] == {"files": 1, "documents": 1, "bytes": corpus.bytes}
    beside = report["baselines"]
    if split == "validation":
        assert beside.pop("trained_on") == "the first 0.9 of sample"
        assert beside == baselines(training.encode("utf-8"), validation.encode("utf-8")[: report["bytes"]])
        assert beside["scored_bytes"] == report["bytes"]
    else:
        assert beside == {"left_out": "they would learn from the text that they are scored on; use --split validation"}
    copied = report["memorisation"]
    assert copied["longest_verbatim_span"] in training
    assert copied["longest_verbatim_span"] in copied["sample"]
    assert copied["held_out"]["longest_verbatim_span"] in validation[: len(copied["sample"])]


def test_the_default_stride_is_half_the_context(folder, monkeypatch, capsys):
    flags = ["--model", str(folder), "--corpus", "sample", "--eval_tokens", "20", "--max_new_tokens", "3"]
    report = json.loads(run(monkeypatch, capsys, *flags)[1])
    assert (report["stride"], report["context"], report["tokens"]) == (8, 16, 20)


def test_another_models_tokenizer(folder, monkeypatch, capsys):
    train_bpe(read_text("sample").text, 400).save_pretrained(folder)
    code, out, err = run(monkeypatch, capsys, "--model", str(folder), "--corpus", "sample")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: This is another model's tokenizer")


@pytest.mark.parametrize(
    ("name", "value"), [("eval_stride", 0), ("eval_tokens", 0), ("max_new_tokens", 0), ("validation_fraction", 1.0)]
)
def test_out_of_bounds(name, value):
    with pytest.raises(UserError, match=name):
        EvaluateConfig(model="m", corpus="sample", **{name: value})
