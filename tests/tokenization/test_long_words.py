"""Words of a size that no language has: DNA, base64, a page of spaces. They are cut, and that is said."""

import json
import logging
import random
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from hf_llm.tokenization import bpe_dropout
from hf_llm.tokenization.bpe import pretokenize, replay, tokenize_word
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.pieces import LONGEST_WORD, cut_long_words, pieces
from hf_llm.tokenization.tokenizer import encode, train_bpe


def letters(alphabet: str, count: int) -> str:
    return "".join(random.Random(0).choices(alphabet, k=count))


LONG = {
    "dna": letters("ACGT", 5000),
    "spaces": f"a{' ' * 5000}b",
    "line ends": "a" + "\n" * 5000 + "b",
    "digits": letters("0123456789", 5000),
    "a rule": "_" * 5000,
    "accents": "ção" * 2000,
    "chinese": letters("的一是不了人我在有他", 5000),
    "amid a text": f"The word {letters('acgt', 3000)} stands between others,\n{'-' * 3000}\nas it may.",
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_word_is_cut_and_every_other_word_stays(name):
    text = LONG[name]
    parts = cut_long_words(text)
    assert "".join(parts) == text
    words = [word for part in parts for word in pretokenize(part)]
    assert len(parts) > 1
    assert max(len(word.encode("utf-8")) for word in words) <= 8 * LONGEST_WORD
    assert "".join(words) == "".join(pretokenize(text))
    short = [word for word in pretokenize(text) if len(word) < LONGEST_WORD]
    assert [word for word in words if word in short] == short


def test_words_of_languages_are_never_cut(sample, random_texts):
    urls = "https://example.org/" + "/".join(letters("abc", 9) for _ in range(500))  # long, of short words
    for text in (sample * 3, *random_texts(300), urls, "的一是。" * 2000):
        assert cut_long_words(text) == [text]


@pytest.mark.parametrize("name", LONG)
def test_training_says_so_and_any_text_still_comes_back(name, caplog):
    with caplog.at_level(logging.WARNING):
        tokenizer = train_bpe(LONG[name], 300)
    assert "words of more than 1024 characters" in caplog.text
    assert tokenizer.decode(encode(tokenizer, LONG[name])) == LONG[name]
    merges = [tuple(pair) for pair in json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]]
    assert [merge.pair for merge in replay(LONG[name], 300)] == merges


def test_no_step_of_training_sees_a_longer_word(monkeypatch):
    """The library's cost is the square of what it is given as one word."""
    given = []

    class Recorder:
        def __init__(self, *_):
            self.pre_tokenizer = self.decoder = None

        def train_from_iterator(self, parts, _):
            given.extend(word for part in parts for word in pretokenize(part))
            raise RuntimeError("enough")

    monkeypatch.setattr("hf_llm.tokenization.tokenizer.Tokenizer", Recorder)
    with pytest.raises(RuntimeError, match="enough"):
        train_bpe(letters("ACGT", 360_000), 1000)
    assert max(map(len, given)) == LONGEST_WORD


def test_one_line_of_words_is_encoded_in_pieces(tokenizer):
    """As text8 is, of 100 MB: a piece of it takes the memory of a piece."""
    line = " ".join(letters("abcdefgh", 8)[:n] for n in range(1, 9)) * 200
    cut = list(pieces([line], 1000))
    assert max(map(len, cut)) < 1010
    assert np.concatenate([encode(tokenizer, piece) for piece in cut]).tolist() == encode(tokenizer, line).tolist()


def test_dropout_of_a_long_word_is_cut_and_said(monkeypatch, caplog):
    text = letters("acgt", 1000)
    tokenizer, longest = train_bpe(text, 300), []

    def recorded(word, *arguments):
        longest.append(len(word))
        return tokenize_word(word, *arguments)

    monkeypatch.setattr(bpe_dropout, "tokenize_word", recorded)
    with caplog.at_level(logging.WARNING):
        plain, dropped = encodings_with_dropout(tokenizer, text, dropout=0.2, copies=1, seed=0)
    assert max(longest) == bpe_dropout.LONGEST_WORD
    assert "bpe_dropout cuts words of more than 128 bytes" in caplog.text
    assert tokenizer.decode(dropped[1:]) == tokenizer.decode(plain[1:]) == text


def test_ctrl_c_does_not_wait_for_the_library():
    generator = random.Random(0)
    text = " ".join("".join(generator.choices("abcdefghijklmnop", k=8)) for _ in range(60_000))
    before, threads = signal.signal(signal.SIGINT, signal.default_int_handler), set(threading.enumerate())
    alarm = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    try:
        alarm.start()
        with pytest.raises(KeyboardInterrupt):
            train_bpe(text, 10_000)
        still_training = [thread for thread in threading.enumerate() if thread not in threads and thread != alarm]
        assert len(still_training) == 1
    finally:
        alarm.cancel()
        signal.signal(signal.SIGINT, before)
    still_training[0].join()


ENDLESS = """
import signal, threading
from tokenizers import Tokenizer, models, trainers
from hf_llm.tokenization.interruptible import interruptible

def texts():
    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    while True:
        yield "one more"

signal.signal(signal.SIGINT, signal.default_int_handler)
interruptible(lambda: Tokenizer(models.BPE()).train_from_iterator(texts(), trainers.BpeTrainer(show_progress=False)))
"""


def test_after_ctrl_c_the_process_ends_although_the_library_goes_on():
    ended = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 130
    assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt"
