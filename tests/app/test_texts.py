"""Every text in both languages, with the same {names}; every key that the code asks for exists."""

import re
from pathlib import Path
from string import Formatter

import pytest

import hf_llm.app
from hf_llm.app.texts import i18n, t, text, texts

SOURCE = Path(hf_llm.app.__file__).parent
KEY = re.compile(r"\b(?:t|text)\(\s*\"([\w.-]+)\"")


def fields(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}


@pytest.mark.parametrize("key", texts())
def test_both_languages_say_it(key):
    words = texts()[key]
    assert set(words) == {"pt", "en"}
    assert all(isinstance(said, str) and said.strip() for said in words.values())
    assert fields(words["pt"]) == fields(words["en"])


def test_the_code_asks_for_no_other():
    asked = {key for file in SOURCE.rglob("*.py") for key in KEY.findall(file.read_text(encoding="utf-8"))}
    assert asked
    assert asked <= set(texts())


def test_an_unknown_key_is_refused_when_the_page_is_built():
    with pytest.raises(KeyError):
        t("tokenizer.no_such_text")


def test_values_are_filled_in():
    assert text("common.save_as", "en", kind="CSV") == "Save as CSV"
    assert text("common.save_as", "pt-BR", kind="CSV") == "Salvar como CSV"


def test_the_browser_finds_pt_and_pt_br():
    translations = i18n().translations_dict
    assert translations["pt"] == translations["pt-BR"] != translations["en"]
