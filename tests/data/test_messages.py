"""Labelled messages: what is refused, that duplicates are gone before the split, and that no part knows another."""

import doctest
import sys
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

from hf_llm.config import UserError
from hf_llm.data import MissingData, find, messages
from hf_llm.data.messages import draw_messages, labelled, read_messages, split_messages

HAM = [f"ham\tsee you at the {place} tonight" for place in "abcdefghijklmnopqrstuvwxyz"]
SPAM = [f"spam\tWIN {number} {what} now" for number in (100, 200) for what in "abcdefghijklmnopqrstuvwxyz"]


@pytest.fixture
def tsv(tmp_path):
    """Return a function: lines in, the path of a file that holds them out."""

    def write(*lines: str) -> str:
        path = tmp_path / "messages.tsv"
        path.write_bytes("\r\n".join(lines).encode())
        return str(path)

    return write


def test_duplicates_are_left_out_and_counted(tsv):
    data = read_messages(tsv("spam\tbuy", "ham\thi\tyou", "spam\tbuy", "ham\tbuy", ""))
    assert data.messages.texts == ("buy", "hi\tyou")  # the first label of a text stays
    assert (data.messages.classes, list(data.messages.labels), data.duplicates) == (("ham", "spam"), [1, 0], 2)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["ham\thi", "no tab"], "line 2 of"),
        (["ham\thi", "\ttext"], "line 2 of"),
        (["ham\thi", "spam\t"], "line 2 of"),
        (["ham\thi", "ham\tyou"], "has the class ham alone"),
    ],
)
def test_a_file_that_is_refused(tsv, lines, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        read_messages(tsv(*lines))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("seed", range(3))
def test_parts_are_disjoint_complete_and_keep_mass_mailings_together(seed):
    texts = labelled([*HAM, *SPAM])
    parts = split_messages(texts, seed, validation=0.2, test=0.3)
    together = [text for part in parts.values() for text in part.texts]
    assert sorted(together) == sorted(texts.texts)
    part_of = {text: name for name, part in parts.items() for text in part.texts}
    assert all(part_of[f"WIN 100 {what} now"] == part_of[f"WIN 200 {what} now"] for what in "abcxyz")
    more = split_messages(labelled([*HAM, *SPAM, "ham\tquite another one"]), seed, validation=0.2, test=0.3)
    assert all(text in more[name].texts for text, name in part_of.items())  # a new message moves no other one


def test_seeds_split_differently():
    texts = labelled([*HAM, *SPAM])
    first, second, again = (split_messages(texts, seed)["test"].texts for seed in (0, 1, 0))
    assert first == again != second


def test_a_part_without_a_class_is_refused():
    with pytest.raises(UserError, match="is left for the part"):
        split_messages(labelled([*HAM, "spam\tWIN"]), seed=0)


@pytest.mark.parametrize("seed", range(5))
def test_a_draw_has_every_class_and_is_part_of_a_larger_one(seed):
    texts = labelled([*HAM * 3, "spam\tWIN"])
    small, large = (draw_messages(texts, count, seed) for count in (3, 9))
    assert small.texts == large.texts[:3]
    assert set(small.labels) == {0, 1}
    assert len(set(large.texts)) == 9


@pytest.mark.parametrize("count", [1, 28])
def test_a_draw_that_cannot_be_made_is_refused(count):
    with pytest.raises(UserError, match="take 2 to 27"):
        draw_messages(labelled([*HAM, "spam\tWIN"]), count, seed=0)


@pytest.fixture(scope="session")  # before `places` takes this machine's folders away
def sms_spam():
    try:
        find("sms-spam")
    except MissingData:
        pytest.skip("sms-spam is not on this machine")
    return read_messages()


def test_sms_spam_has_5160_distinct_messages(sms_spam):
    data = sms_spam
    assert (len(data.messages), data.duplicates, int(data.messages.labels.sum())) == (5160, 414, 642)
    parts = split_messages(data.messages, seed=0)
    shares = np.array([len(part) for part in parts.values()]) / len(data.messages)
    assert np.allclose(shares, [0.7, 0.1, 0.2], atol=0.02)


def hub(monkeypatch, load_dataset) -> None:
    """Put a `datasets` in place that answers as the Hub would, and let no file be at hand."""
    errors = SimpleNamespace(DatasetsError=type("DatasetsError", (Exception,), {}))
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset, exceptions=errors))

    def missing(source: str):
        raise MissingData(f"{source} was not found")

    monkeypatch.setattr(messages, "read_text", missing)


def test_without_a_file_the_hub_is_asked(monkeypatch):
    class Rows(dict):
        features = MappingProxyType({"label": SimpleNamespace(names=["ham", "spam"])})

    hub(monkeypatch, lambda name, split: Rows(label=[0, 1], sms=["hi\n", "buy\tnow\n"]))
    assert read_messages().messages.texts == ("hi", "buy now")


def test_without_file_and_hub_the_search_is_what_is_told(monkeypatch):
    def offline(name: str, split: str):
        raise OSError("offline")

    hub(monkeypatch, offline)
    with pytest.raises(MissingData, match="sms-spam was not found"):
        read_messages()


def test_documented_examples():
    assert doctest.testmod(messages).failed == 0
