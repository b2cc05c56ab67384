"""The Space: made of this checkout, complete, started before it is pushed, and one commit."""

import ast
import hashlib
import re
import shutil
import sys
from importlib.metadata import distributions, packages_distributions, requires
from pathlib import Path

import pytest
from test_push import refused, succeeded

from hf_llm.config import UserError
from hf_llm.hub.space import requirements, write_space
from hf_llm.hub.space_check import start

ROOT = Path(__file__).parents[2]
HERE = "--no_fresh_environment"
DOWNLOAD = """
import hashlib, json
from pathlib import Path
from huggingface_hub import snapshot_download

folder = Path(snapshot_download("me/app", repo_type="space", local_dir="space"))
files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
print(json.dumps({name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}))
"""


@pytest.fixture
def space(runs, tmp_path):
    """The files of a Space with a GPT-2 and a classifier."""
    folder = tmp_path / "space"
    folder.mkdir()
    write_space(folder, [runs / "verdict", runs / "mlp"])
    return folder


def distribution(name: str) -> str:
    """Return a requirement's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


def test_the_requirements_bring_all_that_the_package_imports(space):
    lines = (space / "requirements.txt").read_text().splitlines()
    assert lines[0].startswith("--extra-index-url ")
    installed = {distribution(each.name) for each in distributions()}
    brought, waiting = set(), [distribution(line) for line in lines[1:]]
    assert "gradio" in waiting
    while waiting:  # with what they bring themselves, but for what another system needs
        name = waiting.pop()
        if name in installed - brought:
            brought.add(name)
            waiting += [distribution(line) for line in requires(name) or [] if "extra ==" not in line]
    imported = set()
    # nothing of the app imports these
    package = [path for path in space.glob("hf_llm/**/*.py") if not {"benchmarks", "exports"} & set(path.parts)]
    for path in [space / "space_app.py", *package]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    known = packages_distributions()
    # no page fine-tunes or photographs; `spaces` comes with the one kind of Space that has it
    for name in imported - sys.stdlib_module_names - {"hf_llm", "peft", "playwright", "spaces"}:
        assert {distribution(each) for each in known[name]} & brought, name


def test_requirements_are_the_ranges_of_the_project():
    project = '[project]\ndependencies = ["torch>=2.13"]\n[project.optional-dependencies]\napp = ["gradio>=6,<7"]\n'
    assert requirements(project).splitlines()[1:] == ["torch>=2.13", "gradio>=6,<7"]


def test_it_holds_the_app_what_it_reads_and_the_models(space):
    for name in ("README.md", "LICENSE", "space_app.py", "hf_llm/app/style.css", "hf_llm/data/sample/sample.txt",
                 "configs/gpt2/verdict.yaml", "hf_llm/commands/pretrain.py", "results/dropout-study/result.json",
                 "results/dropout-study/tables/curves.csv",
                 "runs/verdict/model.safetensors", "runs/mlp/run.json"):  # fmt: skip
        assert (space / name).is_file(), name
    assert not list(space.rglob("__pycache__"))
    assert not (space / "runs/verdict/checkpoints").exists()
    assert not (space / "tests").exists()
    card = (space / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "app_file: space_app.py" in card
    assert "models: []" in card


@pytest.mark.slow
def test_it_is_started_then_pushed_in_one_commit_and_comes_down_byte_for_byte(hub, client, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    asked = ("space", "me/app", "--runs", runs / "verdict", "--private", "--hardware", "zero-a10g", HERE)
    said = succeeded(scripts("hub.py", *asked))
    repository = hub.repository("me/app", "space")
    assert f"{hub.url}/spaces/me/app/commit/{repository.branches['main']}" in said
    assert [commit.title for commit in repository.commits.values()] == ["initial commit", "hf_llm, the app"]
    assert (repository.sdk, repository.private, repository.hardware) == ("gradio", True, "zero-a10g")
    assert b"models: [me/verdict]" in hub.content(repository.files()["README.md"])

    files = dict(repository.files())
    repository.write("main", {**files, "hf_llm/old.py": files["LICENSE"], "mine.txt": files["LICENSE"]}, "more")
    succeeded(scripts("hub.py", "space", "me/app", "--runs", runs / "verdict", HERE))
    assert repository.files().keys() == files.keys() | {"mine.txt"}  # of the package nothing old is left

    there = client(DOWNLOAD)
    for path, sha256 in there.items():
        if path.split("/")[0] in ("hf_llm", "configs", "results", "space_app.py"):
            content = (ROOT / path).read_bytes()
        elif path in ("runs/verdict/run.json", "runs/verdict/README.md"):  # as others may see them
            assert str(runs).encode() not in hub.content(repository.files()[path])
            continue
        elif path.startswith("runs/"):
            content = (runs / path.removeprefix("runs/")).read_bytes()
        else:
            continue
        assert sha256 == hashlib.sha256(content).hexdigest(), path
    assert len(there) > 200


@pytest.mark.slow
def test_an_app_that_does_not_start_is_not_pushed(space):
    (space / "hf_llm" / "app" / "server" / "build.py").write_text("raise SystemExit('something is missing')\n")
    with pytest.raises(UserError, match=r"the app does not start .*\(something is missing\); nothing was pushed"):
        start(space, Path(sys.executable))


@pytest.mark.slow
def test_a_model_that_does_not_answer_is_not_pushed(space):
    start(space, Path(sys.executable))  # both do
    (space / "hf_llm" / "generation" / "generate.py").write_text("import nothing_of_the_kind\n")  # after the first page
    with pytest.raises(
        UserError, match=r"its model verdict does not answer \(.*nothing_of_the_kind.*nothing was pushed"
    ):
        start(space, Path(sys.executable))


def test_what_cannot_be_shown(hub, scripts, runs):
    for folder, sentence in ((runs / "tokenizer", "holds no run"), (runs / "none", "holds no run")):
        assert sentence in refused(scripts("hub.py", "space", "me/app", "--runs", folder))
    assert "for which the app has no page" in refused(scripts("hub.py", "space", "me/app", "--runs", runs / "spam"))
    (runs / "verdict" / "model.safetensors").write_bytes(b"other")
    assert "not the file that the run wrote" in refused(
        scripts("hub.py", "space", "me/app", "--runs", runs / "verdict")
    )
    two = shutil.copytree(runs / "mlp", runs / "other" / "mlp")
    assert "have the same name" in refused(scripts("hub.py", "space", "me/app", "--runs", runs / "mlp", two))
    assert "no token" in refused(scripts("hub.py", "space", "me/app", "--runs", runs / "mlp", token=""))
    assert hub.requests == []
    assert "must be owner/name" in refused(scripts("hub.py", "space", "app"))
