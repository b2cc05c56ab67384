"""What a command says that it has read."""

import doctest

from hf_llm.data import reading
from hf_llm.data.reading import REASONS, Reading


def test_the_example_in_the_docstring():
    assert doctest.testmod(reading).failed == 0


def test_a_few_names_of_many_and_none_without_end():
    account = Reading(files=None, documents=5, bytes=10, unit="message")
    account.leave_out("duplicate", count=1234)
    for number in range(9):
        account.leave_out("kind", f"{number}.pdf")
    account.leave_out("hidden", "." + "x" * 5000)
    account.leave_out("twice", count=0)
    read, left_out = str(account).splitlines()
    assert read == "read        5 messages, 10 bytes"
    assert "1,234 said before, 9 of another kind (0.pdf, 1.pdf, 2.pdf, …), 1 hidden (.xxx" in left_out
    assert len(left_out) < 300


def test_another_encoding_is_said():
    account = Reading(documents=2, bytes=10)
    account.add_file()
    account.add_file("utf-16")
    assert str(account).splitlines()[1] == "decoded     1 file in UTF-16"
    assert account.facts() == {"files": 2, "documents": 2, "bytes": 10, "encodings": {"utf-16": 1}}


def test_the_facts_hold_no_path_of_this_machine():
    account = Reading(files=1)
    for reason in REASONS:
        account.leave_out(reason, "/home/me/secret.txt")
    assert "/home" not in str(account.facts())
    assert account.facts()["left_out"] == dict.fromkeys(REASONS, 1)
