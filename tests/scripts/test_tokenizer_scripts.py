"""The tokenizer scripts as they are typed, without processes of their own."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from hf_llm.data import read_text
from hf_llm.tokenization.tokenizer import load_tokenizer, tokenizer_sha256, train_bpe

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs a script and returns (exit code, stdout, stderr)."""

    def run(script: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit:
            runpy.run_path(str(SCRIPTS / script), run_name="__main__")
        printed = capsys.readouterr()
        return exit.value.code, printed.out, printed.err

    return run


def test_train_sees_the_training_part_alone(run, tmp_path):
    folder = tmp_path / "tokenizer"
    flags = ["--corpus", "sample", "--output_dir", str(folder), "--vocab_size", "300", "--replay", "3"]
    code, out, _ = run("train_tokenizer.py", *flags, "--validation_fraction", "0.2")
    assert code == 0
    text = read_text("sample").text
    expected = train_bpe(text[: int(len(text) * 0.8)], 300)
    assert tokenizer_sha256(load_tokenizer(folder)) == tokenizer_sha256(expected)
    assert tokenizer_sha256(expected) in out
    assert "300 tokens: 1 special, 256 bytes, 43 merges" in out
    assert [line.split()[0] for line in out.splitlines()[:4]] == ["step", "1", "2", "3"]
    assert "bytes/token" in out
    assert "which it never saw" in out


def test_train_on_everything(run, tmp_path):
    flags = ["--corpus", "sample", "--output_dir", str(tmp_path / "t"), "--vocab_size", "300"]
    code, out, _ = run("train_tokenizer.py", *flags, "--validation_fraction", "0")
    assert code == 0
    assert "never saw" not in out
    assert tokenizer_sha256(load_tokenizer(tmp_path / "t")) == tokenizer_sha256(
        train_bpe(read_text("sample").text, 300)
    )


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--vocab_size", "100"], "vocab_size 100 is too small"),
        (["--corpus", "no-such-file.txt"], "no such file or source"),
        (["--validation_fraction", "1"], "validation_fraction"),
        (["--replay", "-1"], "replay"),
        (["--output_dir", "/dev/null/x"], "cannot be written"),
    ],
)
def test_train_refuses_in_one_line(run, tmp_path, flags, sentence):
    given = {"--corpus": "sample", "--output_dir": str(tmp_path / "t"), **dict(zip(flags[::2], flags[1::2]))}
    code, out, err = run("train_tokenizer.py", *(word for pair in given.items() for word in pair))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_compare_as_table_and_as_json(run, tmp_path, gpt2_tokenizer_files):
    train_bpe(read_text("sample").text, 300).save_pretrained(tmp_path)
    code, out, _ = run("compare_tokenizers.py", "--text", "Hello world", "--tokenizers", str(tmp_path))
    assert code == 0
    assert "\ngpt2-tokenizer\n  Hello|␣world\n  15496 995\n" in out
    code, out, _ = run("compare_tokenizers.py", "--text", "Hello world", "--tokenizers", str(tmp_path), "--json")
    assert code == 0
    assert [record["tokenizer"] for record in json.loads(out)] == [str(tmp_path), "gpt2-tokenizer"]
    assert json.loads(out)[1]["bytes_per_token"] == 5.5


def test_compare_a_corpus(run, tmp_path):
    train_bpe(read_text("sample").text, 300).save_pretrained(tmp_path)
    code, out, _ = run("compare_tokenizers.py", "--corpus", "sample", "--tokenizers", str(tmp_path), "--json")
    assert code == 0
    assert json.loads(out)[0]["byte_count"] == read_text("sample").bytes
    code, _, err = run("compare_tokenizers.py", "--tokenizers", str(tmp_path))
    assert (code, err) == (2, "error: give either --text or --corpus\n")


def test_prepare(run, tmp_path):
    (tmp_path / "a.txt").write_text(read_text("sample").text, encoding="utf-8")
    flags = ["--document_separator", "\n\n", "--vocab_size", "300", "--validation_per_mille", "200"]
    code, out, _ = run(
        "prepare_corpus.py", "--files", str(tmp_path / "a.txt"), "--output_dir", str(tmp_path / "out"), *flags
    )
    assert code == 0
    meta = json.loads((tmp_path / "out" / "corpus.json").read_text())
    assert f"{meta['splits']['train']['tokens']:,} tokens in 1 files" in out
    assert meta["sha256"] in out


@pytest.mark.parametrize("script", ["train_tokenizer.py", "compare_tokenizers.py", "prepare_corpus.py"])
def test_help_imports_no_model_library(script):
    """`--help` stays quick because nothing heavy is loaded before the words of the command line are read."""
    program = (
        "import runpy, sys\n"
        f"sys.argv = [{script!r}, '--help']\n"
        f"try: runpy.run_path({str(SCRIPTS / script)!r}, run_name='__main__')\n"
        "except SystemExit as end: assert end.code in (0, None), end.code\n"
        "assert not {'torch', 'tokenizers', 'datasets'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--output_dir" in done.stdout or "--text" in done.stdout
