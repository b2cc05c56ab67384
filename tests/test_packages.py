"""The layers of the code: a file imports its own package and those before it, in no circle, and names what exists."""

import ast
import re
import subprocess
import sys
import tokenize
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hf_llm"
ORDER = re.findall(r"^hf_llm/(\w+)/", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
COMMANDS = sorted((PACKAGE / "commands").glob("*.py"))
SOURCES = [*FILES, *SCRIPTS, ROOT / "space_app.py", *sorted((ROOT / "tests").rglob("*.py"))]


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


def packages_imported(source: str, package: str) -> set[str]:
    """Return the packages of hf_llm that a source imports from; hf_llm itself counts as the last of all."""
    parts = [name.split(".") for name in imported(ast.parse(source), package)]
    return {name[1] if name[1:] and name[1] in ORDER else "hf_llm" for name in parts if name[0] == "hf_llm"}


def package_of(path: Path) -> str:
    """Return the dotted name of the package that a file lies in."""
    return ".".join(["hf_llm", *path.relative_to(PACKAGE).parts[:-1]])


def module_of(path: Path) -> str:
    return package_of(path) if path.name == "__init__.py" else f"{package_of(path)}.{path.stem}"


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Return a circle of modules that import each other, [] where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize(
    ("source", "packages"),
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
def test_the_imports_of_a_source_are_seen(source, packages):
    assert packages_imported(source, "hf_llm.config") == packages


def test_a_circle_is_seen():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


def test_every_package_has_its_place_in_the_order():
    assert {path.relative_to(PACKAGE).parts[0] for path in FILES} == set(ORDER)
    assert len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_its_own_package_and_those_before_it(path):
    own = path.relative_to(PACKAGE).parts[0]
    order = [*ORDER, "hf_llm"] if own == ORDER[-1] else ORDER[: ORDER.index(own) + 1]  # the last may take its version
    later = packages_imported(path.read_text(encoding="utf-8"), package_of(path)) - set(order)
    assert not later, f"{path.relative_to(PACKAGE)} imports from {later}, which come after {own}"


def test_no_files_import_each_other_in_a_circle():
    modules = {module_of(path): path for path in FILES}
    imports = {}
    for name, path in modules.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tree.body = [node for node in tree.body if not isinstance(node, ast.If)]  # what only a type checker reads
        asked = imported(tree, package_of(path))
        found = {each if each in modules else each.rpartition(".")[0] for each in asked}
        imports[name] = {each for each in found if each in modules and each != name}
    assert not circle(imports)


def test_no_experiment_imports_another():
    folders = {path.parent.name for path in PACKAGE.glob("experiments/*/lab.py")} - {"frame"}
    for path in FILES:
        parts = path.relative_to(PACKAGE).parts
        if parts[0] == "experiments" and len(parts) == 3:
            names = imported(ast.parse(path.read_text(encoding="utf-8")), package_of(path))
            others = {name.split(".")[2] for name in names if name.startswith("hf_llm.experiments.")}
            assert not others & folders - {parts[1]}, path


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.name)
def test_a_command_imports_at_its_top_only_what_is_light(path):
    """Settings are parsed first: a wrong flag or `--help` is answered before torch loads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for name in imported(tree, package=""):
        top, *rest = name.split(".")
        settings = any(part in ("data", "texts") or part.endswith("config") for part in rest[:2])
        own = name == "hf_llm.__version__"
        light = top in (*sys.stdlib_module_names, "argcomplete") or (top == "hf_llm" and (settings or own))
        assert light, f"{path.name} imports {name} at its top; do it inside main(), after parsing"


def test_a_script_is_its_command_and_nothing_else():
    names = {path.stem for path in COMMANDS} - {"__init__", "program", "app"}
    assert {path.stem for path in SCRIPTS} == names
    for path in SCRIPTS:
        doc, main, call = ast.parse(path.read_text(encoding="utf-8")).body
        assert ast.unparse(main) == f"from hf_llm.commands.{path.stem} import main"
        assert ast.unparse(call) == "if __name__ == '__main__':\n    main()"
        assert doc.value.value == f"The same as `hf-llm {path.stem}`."


def test_no_script_bears_the_name_of_a_module():
    """Python puts the folder of a script first on its path: one called `evaluate` would hide Hugging Face's package."""
    names = [path.stem for path in SCRIPTS]
    find = "import sys; from importlib.util import find_spec; print([n for n in sys.argv[1:] if find_spec(n)])"
    run = subprocess.run([sys.executable, "-I", "-c", find, *names, "evaluate"], capture_output=True, text=True)
    assert run.stdout.strip() == "['evaluate']", run.stderr  # the last one shows that the search finds


def test_comments_and_docstrings_name_files_that_exist():
    """A file that was moved or renamed leaves its old name in prose."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    known = {Path(name).name for name in tracked or map(str, SOURCES)}
    stale = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for name in re.findall(r"(?<![\w*/<{.-])(?:[\w.-]+/)*[\w-]+\.(?:py|yaml)\b", prose(path))
        if not ((ROOT / name).exists() if name.startswith("hf_llm/") else Path(name).name in known)
    ]
    assert not stale


def prose(path: Path) -> str:
    """Return the comments and docstrings of a file."""
    found = []
    with open(path, "rb") as file:
        found += [token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            found.append(ast.get_docstring(node) or "")
    return "\n".join(found)
