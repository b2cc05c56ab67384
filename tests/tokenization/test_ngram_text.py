"""Text that n-grams wrote, in a corpus: as much as was asked for, the same for a seed, of the training part alone."""

import numpy as np
import pytest

from hf_llm.data import Text, read_text
from hf_llm.tokenization.byte_lengths import text_bytes
from hf_llm.tokenization.corpus import read_corpus
from hf_llm.tokenization.tokenizer import document_start


def corpus(source: str | Text = "sample", **settings):
    return read_corpus(source, None, vocab_size=400, context=32, **settings)


@pytest.mark.parametrize("bpe_dropout", [0.0, 0.3])
@pytest.mark.parametrize("share", [0.25, 0.8])
def test_it_is_the_share_that_was_asked_for_behind_the_text_itself(share, bpe_dropout):
    plain, more = corpus(bpe_dropout=bpe_dropout), corpus(bpe_dropout=bpe_dropout, ngram_text=share)
    assert len(plain.train) / len(more.train) == pytest.approx(1 - share, abs=1e-3)
    assert np.array_equal(more.train.window(0, len(plain.train)), plain.train.window(0, len(plain.train)))
    assert np.array_equal(*(np.concatenate(each.train_once.shards) for each in (plain, more)))
    assert np.array_equal(*(each.validation.shards[0] for each in (plain, more)))


def test_it_reads_like_the_text_and_is_another():
    more, text = corpus(ngram_text=0.5), read_text("sample").text
    written = more.train.shards[-1]
    assert written[0] == document_start(more.tokenizer)
    words = text_bytes(more.tokenizer, written).decode("utf-8", "replace").split()
    known = np.mean([word in text for word in words])
    assert 0.4 < known < 0.95  # neither copied nor noise


def test_a_seed_repeats_it_and_the_held_out_part_has_no_share_in_it():
    text = read_text("sample")
    other = Text(text.name, text.text[: int(0.9 * len(text.text))] + "?" * (len(text.text) // 10 + 1), "another hash")
    same, again, changed = (corpus(each, ngram_text=0.5, seed=1) for each in (text, text, other))
    assert np.array_equal(same.train.shards[-1], again.train.shards[-1])
    assert text_bytes(changed.tokenizer, changed.train.shards[-1]).count(b"?") < 0.01 * len(text.text)
    different = corpus(text, ngram_text=0.5, seed=2)
    assert not np.array_equal(same.train.shards[-1], different.train.shards[-1])
