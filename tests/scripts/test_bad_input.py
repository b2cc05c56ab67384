"""Bad input, given to the real scripts: one sentence that says what is wrong, a non-zero exit, and no traceback.

Each command differs in one thing from one that works, and the fixtures `run` and `prepared` are made by those.
"""

import shutil

import pytest
from transformers import GPT2Config, GPT2LMHeadModel

from hf_llm.benchmarks.fork_server import Scripts
from hf_llm.data import read_text
from hf_llm.runs.lock import hold
from hf_llm.tokenization.tokenizer import train_bpe

TINY = (
    "--model=nano", "--vocab_size=260", "--n_layer=1", "--n_head=2", "--n_embd=16", "--n_positions=16", "--max_steps=2",
    "--warmup_steps=1", "--total_batch_size=4", "--per_device_train_batch_size=4", "--sample_tokens=2",
    "--precision=fp32", "--eval_tokens=200", "--threads=1",
)  # fmt: skip
TEXT = "It was a small town, and the clock in its tower was never right. " * 12


@pytest.fixture(scope="module")
def scripts():
    with Scripts() as scripts:
        yield scripts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files and folders that are wrong in one way each, and `good.txt`."""
    folder = tmp_path_factory.mktemp("bad")
    files = {
        "good.txt": TEXT.encode(),
        "empty.txt": b"",
        "short.txt": b"Too short.",
        "repeated.txt": b"aaaa aaaa " * 4,
        "binary.bin": bytes(range(256)) * 20,
        "latin-1.txt": ("São dois cafés. " * 30).encode("latin-1"),
        "unknown-key.yaml": b"learning_rat: 1e-3\n",
        "negative.yaml": b"corpus: sample\nlearning_rate: -1\n",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "no-tokenizer").mkdir()
    return folder


@pytest.fixture(scope="module")
def model(folder):
    """A causal LM with its tokenizer, as any folder of transformers is."""
    train_bpe(read_text("sample").text, 300).save_pretrained(folder / "model")
    config = GPT2Config(vocab_size=300, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    GPT2LMHeadModel(config).save_pretrained(folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def run(scripts, folder):
    """A finished run folder."""
    result = scripts("pretrain.py", "--corpus", folder / "good.txt", *TINY, "--output_dir", folder / "run")
    assert result.returncode == 0, result.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def prepared(scripts, folder):
    """A prepared corpus with a tokenizer of its own."""
    words = ("--files", folder / "good.txt", "--document_separator", "clock", "--vocab_size", 280)
    result = scripts("prepare_corpus.py", *words, "--validation_per_mille", 500, "--output_dir", folder / "prepared")
    assert result.returncode == 0, result.stderr
    return folder / "prepared"


@pytest.fixture
def refused(scripts):
    """Return a function that runs a script, requires that it is refused in one sentence, and returns the sentence."""

    def refused(script: str, *words) -> str:
        result = scripts(script, *words)
        assert result.returncode == 2, result.stderr
        assert "Traceback" not in result.stderr
        line, end = result.stderr[:-1], result.stderr[-1:]
        assert line.startswith("error: ")
        assert "\n" not in line
        assert end == "\n"
        return line.removeprefix("error: ")

    return refused


CORPORA = [
    ("none.txt", "no such file or source: '{}'"),
    ("empty.txt", "{} is empty"),
    ("binary.bin", "{} is a binary file, not a text"),
    ("latin-1.txt", "{} is not UTF-8 (byte 1); if it is Latin-1, convert it"),
    ("no-tokenizer", "'{}' is not a file"),
]
SHORT = [
    ("short.txt", "{} gives at most 10 training tokens, fewer than one context of 16"),
    ("repeated.txt", "{} gives 10 training tokens, fewer than one context of 16"),
]


@pytest.mark.parametrize(("name", "sentence"), [*CORPORA, *SHORT], ids=lambda value: value.split(" ")[0])
def test_a_corpus_to_pretrain_on(refused, folder, tmp_path, name, sentence):
    corpus = folder / name
    said = refused("pretrain.py", "--corpus", corpus, *TINY, "--output_dir", tmp_path / "run")
    assert said.startswith(sentence.format(corpus))
    assert not (tmp_path / "run").exists()  # nothing was begun


@pytest.mark.parametrize(("name", "sentence"), CORPORA, ids=lambda value: value.split(" ")[0])
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("train_tokenizer.py", ["--output_dir", "{folder}/tokenizer", "--corpus"]),
        ("compare_tokenizers.py", ["--tokenizers", "{folder}/model", "--corpus"]),
        ("evaluate_lm.py", ["--model", "{folder}/model", "--corpus"]),
    ],
    ids=["train_tokenizer", "compare_tokenizers", "evaluate_lm"],
)
def test_a_corpus_for_other_scripts(refused, folder, model, script, words, name, sentence):
    words = [word.format(folder=folder) for word in words]
    assert refused(script, *words, folder / name).startswith(sentence.format(folder / name))
    assert not (folder / "tokenizer").exists()


def test_one_character_is_refused_before_anything_is_written(refused, model, tmp_path):
    corpus, out = tmp_path / "tiny.txt", tmp_path / "out"
    corpus.write_text("a", encoding="utf-8")
    for script, words in {
        "train_tokenizer.py": ["--corpus", corpus, "--output_dir", out],
        "prepare_corpus.py": ["--files", corpus, "--vocab_size=257", "--output_dir", out],
        "pretrain.py": ["--corpus", corpus, *TINY, "--n_positions=2", "--output_dir", out],
        "evaluate_lm.py": ["--corpus", corpus, "--model", model, "--max_new_tokens=2"],
        "finetune.py": ["--data", corpus, "--model", model, "--task=text-generation", "--output_dir", out],
    }.items():
        said = refused(script, *words)
        assert "longer text" in said or "single document" in said
        assert [path.name for path in tmp_path.iterdir()] == ["tiny.txt"]


def test_what_was_read_is_said(scripts, folder, model, tmp_path):
    """By every command that reads a text; two of these commands are refused right after it."""
    words, odd = ["--corpus", folder / "good.txt"], ("--total_batch_size=3", "--per_device_train_batch_size=2")
    said = f"read        1 file, 1 document, {len(TEXT):,} bytes\n"
    assert said in scripts("pretrain.py", *words, *TINY, *odd, "--output_dir", tmp_path / "run").stdout
    assert said in scripts("train_tokenizer.py", *words, "--vocab_size=260", "--output_dir", tmp_path / "tok").stdout
    assert said in scripts("compare_tokenizers.py", *words, "--tokenizers", model).stderr
    tuned = ("--data", folder / "good.txt", "--model", model, "--task=text-generation", "--threads=1")
    assert said in scripts("finetune.py", *tuned, *odd, "--output_dir", tmp_path / "tuned").stdout


def test_a_text_in_place_of_its_name(refused, tmp_path):
    """No system has a file name of 800 characters."""
    said = refused("pretrain.py", "--corpus", TEXT, *TINY, "--output_dir", tmp_path / "run")
    assert said.startswith("no such file or source")
    assert said.endswith(
        "name a file or one of sample, the-verdict, tiny-shakespeare, dom-casmurro, mnist, sms-spam, gpt2-tokenizer"
    )


@pytest.mark.parametrize("name", [name for name, _ in CORPORA])
def test_a_file_to_prepare(refused, folder, tmp_path, name):
    said = refused("prepare_corpus.py", "--files", folder / name, "--vocab_size=260", "--output_dir", tmp_path / "out")
    assert str(folder / name) in said or "holds no text" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("script", ["pretrain.py", "train_tokenizer.py"])
@pytest.mark.parametrize(("size", "sentence"), [(100, "100 is too small"), (10**12, f"{10**12} is more than")])
def test_a_vocabulary_that_cannot_be(refused, folder, tmp_path, script, size, sentence):
    said = refused(script, "--corpus", folder / "good.txt", f"--vocab_size={size}", "--output_dir", tmp_path / "out")
    assert said.startswith(f"vocab_size {sentence}")
    assert not (tmp_path / "out").exists()


def test_an_unknown_key_in_yaml(refused, folder):
    file = folder / "unknown-key.yaml"
    said = refused("pretrain.py", "--config", file)
    assert said == f"{file}, line 1: unknown key 'learning_rat', did you mean 'learning_rate'?"


def test_a_value_in_yaml_that_cannot_be(refused, folder):
    said = refused("pretrain.py", "--config", folder / "negative.yaml")
    assert said == "learning_rate must be greater than 0, not -1.0"


def test_a_flag_that_cannot_be(refused):
    assert "--max_steps: must be a whole number, not '2.5'" in refused("pretrain.py", "--max_steps", 2.5)
    assert "did you mean '--max_steps'?" in refused("pretrain.py", "--max_step", 2)
    assert "no GPT-2 size is called 'smal', did you mean 'small'?" in refused("pretrain.py", "--model", "smal")
    assert "seed must be below 2**63" in refused("pretrain.py", "--seed", 2**63)
    assert "initializer_range must be a finite number" in refused("pretrain.py", "--initializer_range", 0)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--eval_stride=17"], "eval_stride 17 is more than the context of 16 tokens"),
        (["--total_batch_size=6"], "total_batch_size 6 does not divide into micro-batches of 4"),
        (["--n_embd=15"], "n_embd 15 does not divide into 2 heads"),
    ],
)
def test_settings_that_do_not_fit_together(refused, folder, tmp_path, flags, sentence):
    words = ("--corpus", folder / "good.txt", *TINY, *flags, "--output_dir", tmp_path / "run")
    assert refused("pretrain.py", *words).startswith(sentence)


def test_a_folder_without_a_tokenizer(refused, folder, model, tmp_path):
    words = ("--corpus", folder / "good.txt", *TINY, "--output_dir", tmp_path / "run")
    said = refused("pretrain.py", "--tokenizer", folder / "no-tokenizer", *words)
    assert said.startswith(f"{folder / 'no-tokenizer'} is a folder without a tokenizer")
    bare = tmp_path / "bare"
    shutil.copytree(model, bare, ignore=shutil.ignore_patterns("tokenizer*"))
    for script, words in {"generate.py": (), "evaluate_lm.py": ("--corpus", folder / "good.txt")}.items():
        assert refused(script, "--model", bare, *words).startswith(f"{bare} is a folder without a tokenizer")


def test_another_models_tokenizer(refused, folder, model, prepared, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(model, mixed)
    train_bpe(read_text("sample").text, 320).save_pretrained(mixed)
    for script, words in {"generate.py": (), "evaluate_lm.py": ("--corpus", folder / "good.txt")}.items():
        assert "another model" in refused(script, "--model", mixed, *words)
    words = ("--corpus", prepared, *TINY, "--output_dir", tmp_path / "run")
    assert "another model's tokenizer" in refused("pretrain.py", "--tokenizer", model, *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("script", ["pretrain.py", "train_tokenizer.py"])
def test_an_output_folder_that_cannot_be_written(refused, folder, script):
    """Below a file, where not even root can make a folder."""
    words = TINY if script == "pretrain.py" else ("--vocab_size=260",)
    target = folder / "good.txt" / "out"
    said = refused(script, "--corpus", folder / "good.txt", *words, "--output_dir", target)
    assert str(target.parent) in said
    assert "--output_dir" in said


def test_the_run_folder_of_another_config(refused, folder, run):
    words = ("--corpus", folder / "good.txt", *TINY, "--output_dir", run)
    said = refused("pretrain.py", *words, "--learning_rate", 5e-4)
    assert said.startswith(f"{run} holds another run (learning_rate: 0.001 → 0.0005)")
    assert "--restart" in said


def test_the_run_folder_of_another_text(refused, folder, run, tmp_path):
    corpus = tmp_path / "good.txt"
    corpus.write_text(TEXT.replace("tower", "cellar"), encoding="utf-8")
    said = refused("pretrain.py", "--corpus", corpus, *TINY, "--output_dir", run)
    assert f"{run} holds another run (" in said
    assert "data.sha256" in said


def test_a_folder_that_holds_something_else(refused, folder, tmp_path):
    (tmp_path / "thesis.txt").write_text("do not lose me")
    said = refused("pretrain.py", "--corpus", folder / "good.txt", *TINY, "--output_dir", tmp_path)
    assert "thesis.txt" in said
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["thesis.txt"]


def test_a_run_folder_in_use(refused, folder, tmp_path):
    with hold(tmp_path / "run"):
        said = refused("pretrain.py", "--corpus", folder / "good.txt", *TINY, "--output_dir", tmp_path / "run")
    assert said.startswith(f"{tmp_path / 'run'} is in use by another process")


def test_a_lone_surrogate(refused, folder, model, tmp_path):
    """What Python makes of a byte on the command line that is no UTF-8."""
    sentence = "half of a surrogate pair (U+DCE9) at character 3"
    assert sentence in refused("generate.py", "--model", model, "--prompt", "caf\udce9")
    assert sentence in refused("compare_tokenizers.py", "--tokenizers", model, "--text", "caf\udce9")
    words = ("--corpus", folder / "good.txt", *TINY, "--output_dir", tmp_path / "run")
    assert sentence in refused("pretrain.py", *words, "--sample_prompt", "caf\udce9")
    assert sentence in refused("evaluate_lm.py", "--model", model, "--corpus", "sample", "--prompt", "caf\udce9")


def test_what_is_no_model(refused, folder, tmp_path):
    assert "holds no config.json" in refused("generate.py", "--model", folder / "no-tokenizer")
    assert "is a file" in refused("generate.py", "--model", folder / "good.txt")
    assert f"there is no folder {tmp_path / 'none'}" in refused("generate.py", "--model", tmp_path / "none")
