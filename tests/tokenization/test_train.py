"""A tokenizer of a text however short, or one sentence and nothing written."""

import pytest

from hf_llm.config import UserError
from hf_llm.tokenization.config import TrainTokenizerConfig
from hf_llm.tokenization.train import train_tokenizer


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("text", ["", "a", "é", "ab", "abcde", " \n\t ", "a\nb\n"])
def test_a_text_of_a_few_characters(tmp_path, text, fraction):
    corpus, folder = tmp_path / "tiny.txt", tmp_path / "out"
    corpus.write_text(text, encoding="utf-8")
    config = TrainTokenizerConfig(corpus=str(corpus), output_dir=str(folder), validation_fraction=fraction)
    train = text[: int(len(text) * (1 - fraction))]
    if text.strip() and train:
        trained = train_tokenizer(config)
        assert trained.train_bytes == len(train.encode("utf-8"))
        assert (folder / "tokenizer.json").is_file()
    else:
        with pytest.raises(UserError, match=r"tiny.txt is (empty|too short)"):
            train_tokenizer(config)
        assert [path.name for path in tmp_path.iterdir()] == ["tiny.txt"]
