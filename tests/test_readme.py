"""What README and docs show exists as written: commands, flags, targets, files, names, and the tree of the code."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import hf_llm

ROOT = Path(__file__).parents[1]
PAGES = {path: path.read_text(encoding="utf-8") for path in (*ROOT.glob("README*.md"), ROOT / "docs" / "commands.md")}
BLOCK = re.compile(r"```(?:bash|powershell)\n(.*?)```", re.DOTALL)
README = PAGES[ROOT / "README.md"]
BLOCKS = [
    block for page in PAGES.values() for block in re.findall(r"```(?:bash|powershell)\n(.*?)```", page, re.DOTALL)
]
LINES = sorted({line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()})
COMMAND_LINES = [line for line in LINES if re.search(r"\bhf-llm \w|scripts/", line)]
LONGEST = 150  # lines
TREE = README.split("## Layout")[1]


@cache
def help_of(*command: str) -> str:
    words = [sys.executable, "-m", "hf_llm", *command, "--help"]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_there_are_commands_to_check():
    assert len(COMMAND_LINES) >= 20


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_commands_know_the_flags(line):
    words = shlex.split(line)
    if "scripts/" in line:  # launched by accelerate
        words = words[next(i for i, word in enumerate(words) if word.startswith("scripts/")) :]
        words[:1] = ["hf-llm", Path(words[0]).stem]
    number = 2 if words[1] == "hub" else 1  # a command may have commands of its own
    text = help_of(*words[1 : 1 + number])
    for word in words[1 + number :]:
        if word.startswith("--"):
            assert re.search(rf"(?<![\w-]){re.escape(word.split('=')[0])}\b", text), word


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_links_and_paths_of_a_page_exist(page):
    text = PAGES[page]
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert all((page.parent / link).exists() for link in links if link), links
    for path in set(re.findall(r"\b(?:configs|scripts)/[\w./-]+\.\w+", text)):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("target", sorted({line.split()[1] for line in LINES if line.startswith("make ")}))
def test_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_names_that_they_import_exist():
    for page in PAGES.values():
        for names in re.findall(r"^from hf_llm import (.*)$", page, flags=re.MULTILINE):
            for name in names.split(","):
                assert getattr(hf_llm, name.strip())


@pytest.mark.parametrize("name", ["README.md", "README.pt-BR.md"])
def test_a_reader_with_a_minute_can_read_it(name):
    page = PAGES[ROOT / name]
    assert len(page.splitlines()) <= LONGEST
    first_screen = "\n".join(page.splitlines()[:35])
    assert all(said in first_screen for said in ("make demo", "make test", "bits per byte"))


def test_both_languages_have_the_same_commands_and_the_reports_of_their_own():
    english, portuguese = README, PAGES[ROOT / "README.pt-BR.md"]
    commands = [
        re.findall(r"^(?:make|python|pip|hf-llm) [^#\n]*", page, re.MULTILINE) for page in (english, portuguese)
    ]
    assert [line.strip() for line in commands[0]] == [line.strip() for line in commands[1]]
    reports = [set(re.findall(rf"results/([\w-]+)/report\.{lang}\.md", page))
               for page, lang in ((english, "en"), (portuguese, "pt-BR"))]  # fmt: skip
    assert reports[0] == reports[1] == {path.parent.name for path in ROOT.glob("results/*/report.en.md")}


def test_the_tree_shows_every_package_and_only_files_that_exist():
    packages = re.findall(r"^hf_llm/(\w+)/", TREE, re.MULTILINE)
    on_disk = {path.parent.name for path in (ROOT / "hf_llm").glob("*/__init__.py")}
    assert set(packages) == on_disk
    for line in TREE.splitlines():
        if package := re.match(r"hf_llm/\w+/", line):
            for file in re.findall(r"\b[\w-]+\.(?:py|yaml)\b", line):
                found = list((ROOT / package.group()).rglob(file))
                assert found, f"{package.group()}{file}"
    top = re.findall(r"^(?:configs/.*)$", TREE, re.MULTILINE)[0].split()
    assert all((ROOT / path).exists() for path in top)
