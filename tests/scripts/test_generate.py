"""scripts/generate.py as it is typed, without a process of its own."""

import re
import runpy
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from hf_llm.data import read_text
from hf_llm.tokenization.tokenizer import train_bpe

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tokenizer = train_bpe(read_text("sample").text, 300)
    torch.manual_seed(0)
    ids = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    config = GPT2Config(vocab_size=300, n_positions=32, n_embd=32, n_layer=1, n_head=2, initializer_range=0.2, **ids)
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["generate.py", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    printed = capsys.readouterr()
    return exit.value.code, printed.out, printed.err


def test_greedy_text_is_that_of_transformers_alone(folder, monkeypatch, capsys):
    flags = ["--model", str(folder), "--prompt", "Once", "--no_do_sample", "--max_new_tokens", "20"]
    code, out, _ = run(monkeypatch, capsys, *flags)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    inputs = tokenizer("Once", return_tensors="pt")
    expected = model.generate(**inputs, max_new_tokens=20, do_sample=False)
    assert code == 0
    assert out == tokenizer.decode(expected[0], skip_special_tokens=True) + "\n"


def test_settings_from_yaml_and_a_text_beyond_the_context(folder, monkeypatch, capsys, tmp_path):
    file = tmp_path / "generate.yaml"
    file.write_text(f"model: {folder}\nmax_new_tokens: 300\nseed: 5\n")
    first = run(monkeypatch, capsys, "--config", str(file))
    assert first[0] == 0
    assert "outgrew" in first[2]
    assert run(monkeypatch, capsys, "--config", str(file))[1] == first[1]
    assert run(monkeypatch, capsys, "--config", str(file), "--seed", "6")[1] != first[1]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--top_p", "2"], "top_p"),
        (["--temperature", "0"], "temperature"),
        (["--num_beams", "4"], "switch do_sample off"),
        (["--num_beams", "4", "--no_do_sample"], "max_new_tokens to at most"),
        (["--prompt", "\udce9"], "surrogate"),
        (["--max_tokens", "3"], "unknown argument"),
    ],
)
def test_a_bad_setting_is_one_sentence(folder, monkeypatch, capsys, flags, words):
    code, _, err = run(monkeypatch, capsys, "--model", str(folder), *flags)
    assert code == 2
    assert words in err
    assert len(re.findall("^error: .+$", err, re.MULTILINE)) == 1
    assert "Traceback" not in err


def test_a_folder_without_a_tokenizer(folder, monkeypatch, capsys, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    code, out, err = run(monkeypatch, capsys, "--model", str(tmp_path))
    assert (code, out) == (2, "")
    assert re.search("^error: .*without a tokenizer.*\n\\Z", err, re.MULTILINE)
