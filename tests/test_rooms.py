"""The order of the rooms: a file imports its own room and those before it, and a script hides no module."""

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hf_llm"
ORDER = [
    "texts", "config", "data", "runs", "models", "tokenization", "explain", "generation", "evaluation", "training",
    "planning", "recipes", "experiments", "hub", "app", "benchmarks",
]  # fmt: skip
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


def imported(tree: ast.AST, package: str) -> set[str]:
    """Return the dotted names that a file imports, wherever in it; `from a import b` gives `a.b`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def rooms_imported(source: str, package: str) -> set[str]:
    """Return the rooms of hf_llm that a source imports from; the package itself counts as the last of all."""
    parts = [name.split(".") for name in imported(ast.parse(source), package)]
    return {name[1] if name[1:] and name[1] in ORDER else "hf_llm" for name in parts if name[0] == "hf_llm"}


@pytest.mark.parametrize(
    ("source", "rooms"),
    [
        ("import torch, hf_llm.data.text as text", {"data"}),
        ("from hf_llm.runs.run import Run", {"runs"}),
        ("from hf_llm import models", {"models"}),
        ("def later():\n    from hf_llm.app import pages", {"app"}),
        ("from .sources import find", {"config"}),
        ("from ..runs import lock", {"runs"}),
        ("import hf_llm", {"hf_llm"}),
        ("from hf_llm import pretrain", {"hf_llm"}),
        ("import hf_llmx.app, torch", set()),
    ],
)
def test_the_imports_of_a_source_are_seen(source, rooms):
    assert rooms_imported(source, "hf_llm.config") == rooms


def test_every_room_has_its_place_in_the_order():
    assert {path.relative_to(PACKAGE).parts[0] for path in FILES} <= set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_its_own_room_and_those_before_it(path):
    relative = path.relative_to(PACKAGE)
    room = relative.parts[0]
    package = ".".join(["hf_llm", *relative.parts[:-1]])
    later = rooms_imported(path.read_text(encoding="utf-8"), package) - set(ORDER[: ORDER.index(room) + 1])
    assert not later, f"{relative} imports from {later}, which come after {room}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_at_its_top_only_what_is_light(path):
    """Settings are parsed first: a wrong flag or `--help` is answered before torch loads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for name in imported(tree, package=""):
        top, *rest = name.split(".")
        settings = any(part == "data" or part.endswith("config") for part in rest[:2])
        light = top in sys.stdlib_module_names or (top == "hf_llm" and settings)
        assert light, f"{path.name} imports {name} at its top; do it inside main(), after parsing"


def test_no_script_bears_the_name_of_a_module():
    """`python scripts/x.py` puts scripts/ first on the path: scripts/evaluate.py would hide Hugging Face's evaluate."""
    names = [path.stem for path in SCRIPTS]
    find = "import sys; from importlib.util import find_spec; print([n for n in sys.argv[1:] if find_spec(n)])"
    run = subprocess.run([sys.executable, "-I", "-c", find, *names, "evaluate"], capture_output=True, text=True)
    assert run.stdout.strip() == "['evaluate']", run.stderr  # the last one shows that the search finds
