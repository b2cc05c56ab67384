"""All texts of the package: both languages, the same places, every key that code asks for, no other, the glossary."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
import yaml
from glossary import violations

from hf_llm.app.i18n import i18n, keys, t
from hf_llm.app.pages.home.lesson import NAMES
from hf_llm.app.pages.home.step import OPTIONS
from hf_llm.texts import LANGUAGES, text
from hf_llm.texts.catalogue import PACKAGE, folders, texts

FILES = sorted(PACKAGE.rglob("texts.yaml"))
ASKING = {"t", "text", "both", "in_language", "in_both_languages"}  # functions whose first argument is a key
# tests/experiments/test_labs.py holds that each experiment uses all of its texts, the tests of recipes that a card does
ELSEWHERE = {"experiments", "recipes"}
CHECKED = [name for name, path in folders().items() if path.relative_to(PACKAGE).parts[0] not in ELSEWHERE]
HALVES = {"hub.tokenizer_card"}  # its Portuguese text stands below the English one, which says the rest
ALL = {f"{folder}.{key}" for folder in folders() for key in texts(folder)}


def places(template: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(template) if name}


def as_pattern(node: ast.JoinedStr, place: str) -> str:
    """Return a regular expression for an f-string, each of its places matching `place`."""
    return "".join(re.escape(part.value) if isinstance(part, ast.Constant) else place for part in node.values)


@cache
def sources() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}


@cache
def mentioned() -> tuple[set[str], list[re.Pattern]]:
    """Return the strings of the package, the names of its fields, and a pattern for each f-string that may be a key."""
    nodes = [node for tree in sources().values() for node in ast.walk(tree)]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    strings |= {ast.unparse(node.target) for node in nodes if isinstance(node, ast.AnnAssign)}
    patterns = {as_pattern(node, r"[\w-]+") for node in nodes if isinstance(node, ast.JoinedStr)}
    # one that begins with a place would be any key; but a page's title and introduction are asked for by its name
    known = [pattern for pattern in patterns if re.match(rf"(?:{'|'.join(folders())})\\\.", pattern)]
    steps = rf"({'|'.join(NAMES)})\.(title|intro|predict|do|option\.[{OPTIONS}])"  # likewise a step of the lesson
    return strings, [re.compile(one) for one in [*known, r"\w+\.(title|intro)", steps]]


def is_used(key: str) -> bool:
    """Say whether a string or an f-string of the package is the key, or a string that of a table with such a column."""
    strings, patterns = mentioned()
    table, _, column = key.rpartition(".")
    return key in strings or {table, column} <= strings or any(one.fullmatch(key) for one in patterns)


def asked() -> Iterator[tuple[Path, str]]:
    """Yield a pattern for the key of each call that asks for a text."""
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ASKING and node.args:
                key = node.args[0]
                if isinstance(key, ast.JoinedStr):
                    yield path, as_pattern(key, r"[\w.-]+")
                elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield path, re.escape(key.value)


def test_the_names_of_the_folders_are_unique():
    counts = Counter(path.parent.name for path in FILES)
    assert counts.most_common(1)[0][1] == 1, counts


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_no_key_is_written_twice(path):
    def check(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            names = Counter(key.value for key, _ in node.value)
            assert not [name for name, count in names.items() if count > 1]
            for _, value in node.value:
                check(value)

    check(yaml.compose(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("folder", folders())
def test_both_languages_say_it_with_the_same_places(folder):
    for key, said in texts(folder).items():
        assert set(said) == set(LANGUAGES), key
        assert all(isinstance(template, str) and template.strip() for template in said.values()), key
        assert places(said["pt-BR"]) == places(said["en"]) or f"{folder}.{key}" in HALVES, key


@pytest.mark.parametrize("folder", folders())
def test_the_texts_keep_to_the_glossary(folder):
    found = {
        f"{folder}.{key} {lang}": wrong
        for key, said in texts(folder).items()
        for lang in LANGUAGES
        if (wrong := violations(said[lang], lang))
    }
    assert found == {}


def test_the_code_asks_for_no_other():
    missing = {
        f"{path.relative_to(PACKAGE)}: {pattern}"
        for path, pattern in asked()
        if not any(re.fullmatch(pattern, key) for key in ALL)
    }
    assert missing == set()


@pytest.mark.parametrize("folder", CHECKED)
def test_no_text_is_unused(folder):
    assert [key for key in texts(folder) if not is_used(f"{folder}.{key}")] == []


def test_an_unused_text_is_seen():
    assert is_used("tokenizer.column.id")
    assert not is_used("tokenizer.no_such_text")
    assert not is_used("mnist.side.left.no_such_text")


def test_an_unknown_key_is_refused_when_the_page_is_built():
    with pytest.raises(KeyError):
        t("tokenizer.no_such_text")


def test_values_are_filled_in():
    assert text("app.save_as", "en", kind="CSV") == "Save as CSV"
    assert text("app.save_as", "pt-BR", kind="CSV") == "Salvar como CSV"


def test_the_browser_finds_pt_and_pt_br():
    t("tokenizer.title")
    translations = i18n().translations_dict
    assert translations["pt"] == translations["pt-BR"] != translations["en"]
    assert "tokenizer.title" in translations["en"]
    assert set(translations["en"]) <= set(keys()) < ALL
