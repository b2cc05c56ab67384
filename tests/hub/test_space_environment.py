"""What a Space is tried in: an environment that has what its requirements name, and nothing that is installed here.

No network: the packages are wheels of this test, the app is a few lines that import one of them.
"""

import sys
import zipfile
from pathlib import Path

import pytest

from hf_llm.config import UserError
from hf_llm.hub.config import SpaceConfig
from hf_llm.hub.space import push_space
from hf_llm.hub.space_check import fresh_environment, start

APP = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import needed

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

print(f"the app is at http://127.0.0.1:{sys.argv[-1]}", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[-1])), Page).serve_forever()
"""


def wheel(folder: Path, name: str, version: str) -> None:
    """Write a wheel of an empty module."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A Space whose app needs a package that its requirements name."""
    wheels, folder = tmp_path / "wheels", tmp_path / "space"
    wheels.mkdir()
    folder.mkdir()
    wheel(wheels, "gradio", "6.31.0")
    wheel(wheels, "needed", "1.0")
    wheel(wheels, "unnamed", "1.0")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "NUL")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    (folder / "README.md").write_text("---\nsdk: gradio\nsdk_version: 6.31.0\n---\n")
    (folder / "requirements.txt").write_text("needed>=1\n")
    (folder / "space_app.py").write_text(APP)
    return folder


@pytest.mark.slow
def test_the_requirements_and_nothing_else_are_there(space):
    with fresh_environment(space) as python:
        start(space, python)
        assert python.exists()
        for name in ("torch", "unnamed"):  # one that is installed here, and one that could be
            (space / "space_app.py").write_text(f"import {name}\n" + APP)
            with pytest.raises(UserError, match=rf"No module named '{name}'\); nothing was pushed"):
                start(space, python)
    assert not python.exists()


@pytest.mark.slow
def test_a_space_is_not_pushed_where_its_requirements_cannot_be_installed(runs, space, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_a_token_of_this_test")
    message = (
        "the requirements of the Space cannot be installed in a fresh environment .*No matching distribution found"
    )
    with pytest.raises(UserError, match=rf"{message} for torch.*\); nothing was pushed"):
        push_space(SpaceConfig(repo_id="me/app", runs=[str(runs / "mlp")]))


@pytest.mark.stress
def test_this_projects_space_in_an_environment_of_its_own(hub, scripts, runs):
    """The real thing, from the package index; PIP_CONSTRAINT=constraints.txt takes the versions that were tested."""
    said = scripts("hub.py", "space", "me/app", "--runs", runs / "verdict", runs / "mlp")
    assert said.returncode == 0, said.stderr
    assert "runs/mlp/model.safetensors" in hub.repository("me/app", "space").files()
