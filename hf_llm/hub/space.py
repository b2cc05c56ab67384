"""From this project to a Space: README, requirements, the app and what it reads, models to show.

The files are written aside, tried as space_check.py does, and only then committed.
"""

import re
import shutil
import sys
import tempfile
import tomllib
from contextlib import nullcontext
from pathlib import Path

from huggingface_hub import constants

from hf_llm.config import check_repo_id, require, written
from hf_llm.hub.commit import Contents, Destination, Pushed, commit_contents
from hf_llm.hub.config import SpaceConfig
from hf_llm.hub.failures import require_token
from hf_llm.hub.push import CARD as CARD_NAME
from hf_llm.hub.push import run_files
from hf_llm.hub.safety import refuse_secrets
from hf_llm.hub.space_check import fresh_environment, start
from hf_llm.runs.atomic import to_bytes, to_json
from hf_llm.runs.manifest import (
    NAME,
    TASKS,
    card_for_others,
    manifest_for_others,
    model_task,
    read_manifest,
    sha256_of_text,
)

SOURCE = Path(__file__).parents[2]
CARD = SOURCE / "hf_llm" / "app" / "space.md"
# of these folders the files that the app reads
SUFFIXES = {
    "hf_llm": (".py", ".md", ".txt", ".yaml", ".css", ".js"),
    "configs": (".yaml",),
    "results": (".json", ".png", ".md", ".csv"),
}
TORCH_FOR_CPU = "https://download.pytorch.org/whl/cpu"


def push_space(config: SpaceConfig) -> Pushed:
    """Put the app with its models on the Hub as a Space, in one commit; none where it is there already.

    Raises:
        UserError: When a run cannot be shown, the app does not start from these files alone, the Hub cannot be reached
            or refuses, or the branch has moved. No commit was made then.
    """
    failure = f"the Space was not pushed to {config.repo_id}"
    require_token(failure)  # not after minutes of installing
    with tempfile.TemporaryDirectory(prefix="space-") as name:
        folder = Path(name)
        write_space(folder, [Path(run) for run in config.runs])
        refuse_secrets(folder)
        with fresh_environment(folder) if config.fresh_environment else nullcontext(Path(sys.executable)) as python:
            start(folder, python)
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        return commit_contents(
            Contents(files, "space", "hf_llm, the app"),
            Destination(
                config.repo_id,
                private=config.private,
                branch=constants.DEFAULT_REVISION,
                create_pr=False,
                failure=failure,
                retry=config.command,
                hardware=config.hardware,
            ),
        )


def write_space(folder: Path, runs: list[Path]) -> None:
    """Write into `folder` what a Space needs to run `space_app.py`.

    Args:
        folder: An empty folder.
        runs: Folders of finished runs that the app offers.

    Raises:
        UserError: Outside of a checkout, or when one of the runs has not finished or was changed.
    """
    project = SOURCE / "pyproject.toml"
    require(project.is_file(), f"a Space is made from a checkout of the project, and {SOURCE} is none")
    for name, suffixes in SUFFIXES.items():
        for path in sorted((SOURCE / name).rglob("*")):
            if path.suffix in suffixes and path.is_file() and "__pycache__" not in path.parts:
                _copy(path, folder / path.relative_to(SOURCE))
    for name in ("space_app.py", "LICENSE"):
        _copy(SOURCE / name, folder / name)
    (folder / "requirements.txt").write_text(requirements(project.read_text(encoding="utf-8")), encoding="utf-8")
    models = []
    names = [run.resolve().name for run in runs]
    require(
        len(set(names)) == len(names),
        f"two of the runs have the same name, but a Space shows them by it: {', '.join(names)}",
    )
    for run in runs:
        manifest = read_manifest(run)
        require(manifest is not None, f"{run} holds no run ({NAME}); name the folder of one that has finished")
        require(
            model_task(manifest) in TASKS.values(),
            f"{run} is a model for {model_task(manifest)}, for which the app has no page; "
            f"leave it out of {written('runs')}",
        )
        files = run_files(run, manifest)
        card = card_for_others(files[CARD_NAME].decode("utf-8"), manifest).encode()
        shown = manifest_for_others(manifest)
        shown["files"][CARD_NAME] = sha256_of_text(card.decode("utf-8"))
        for path, content in {**files, CARD_NAME: card, NAME: to_bytes(to_json(shown))}.items():
            target = folder / "runs" / run.resolve().name / path
            if isinstance(content, Path):
                _copy(content, target)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        if "hub" in manifest:
            check_repo_id(manifest["hub"])
            models.append(manifest["hub"])
    (folder / "README.md").write_text(space_card(CARD.read_text(encoding="utf-8"), models), encoding="utf-8")


def requirements(project: str) -> str:
    """Return requirements.txt from the text of pyproject.toml: the same ranges, and torch as a CPU needs it."""
    table = tomllib.loads(project)["project"]
    lines = [*table["dependencies"], *table["optional-dependencies"]["app"]]
    return "\n".join([f"--extra-index-url {TORCH_FOR_CPU}", *lines, ""])


def space_card(card: str, models: list[str]) -> str:
    """Return the Space's README with the names on the Hub of the models that it shows; their pages then link to it."""
    names = ", ".join(sorted(set(models)))
    return re.sub(r"^models: .*$", f"models: [{names}]", card, count=1, flags=re.MULTILINE)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
