"""The app put together: it opens before the heavy libraries, and is safe as it comes."""

import subprocess
import sys
import threading
from pathlib import Path

import gradio as gr
import pytest
import yaml

from hf_llm.app.config import AppConfig
from hf_llm.app.guarded import guarded
from hf_llm.app.server import build as building
from hf_llm.app.server.line import Line
from hf_llm.config import UserError

ROOT = Path(__file__).parents[2]


def test_the_pages_are_built_before_torch_is_imported(runs):
    source = (
        "import sys\n"
        "from hf_llm.app.server.build import build\n"
        "from hf_llm.app.config import AppConfig\n"
        f"build(AppConfig(runs={str(runs)!r}))\n"
        "heavy = {'torch', 'transformers', 'matplotlib', 'tokenizers', 'datasets', 'scipy', 'sklearn'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.fixture
def launched(monkeypatch, runs) -> dict:
    """What `launch` asks of Gradio."""
    asked = {}
    monkeypatch.setattr(gr.Blocks, "launch", lambda self, **options: asked.update(options, blocks=self))
    monkeypatch.setattr(building, "warm_up", lambda app: None)
    building.launch(AppConfig(runs=str(runs)))
    return asked


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("share", False),
        ("show_error", False),
        ("ssr_mode", False),
        ("enable_monitoring", False),
        ("run_history", False),
        ("server_name", "127.0.0.1"),
    ],
)
def test_it_is_safe_as_it_comes(launched, option, value):
    assert launched[option] == value


def test_no_path_of_the_machine_is_served(launched):
    assert not launched.get("allowed_paths")
    assert launched["blocks"].analytics_enabled is False
    assert not any(isinstance(block, gr.FileExplorer) for block in launched["blocks"].blocks.values())


def test_the_app_waits_in_a_line_of_its_own(launched):
    assert isinstance(launched["blocks"]._queue, Line)
    assert launched["blocks"]._queue.calls_a_minute == AppConfig().requests_per_minute
    assert launched["blocks"].api_open is False
    names = [middleware.cls.__name__ for middleware in launched["app_kwargs"]["middleware"]]
    assert names == ["Shell", "Door", "Downloads", "Listeners"]


def test_calls_wait_until_what_they_need_is_imported(monkeypatch, runs):
    apps, done, build = [], [], building.build
    monkeypatch.setattr(building, "build", lambda config: [apps.append(built := build(config)), built][1])
    monkeypatch.setattr(building, "warm_up", lambda app: None)

    def serve(self, **options):
        app = apps[0][1]
        call = guarded(lambda app, *, lang: done.append(lang), app)
        visitor = threading.Thread(target=call, kwargs={"lang": "en"})
        visitor.start()
        visitor.join(0.2)
        done.append("transformers")
        apps.append(visitor)

    monkeypatch.setattr(gr.Blocks, "launch", serve)
    building.launch(AppConfig(runs=str(runs)))
    apps[1].join(60)
    assert done == ["transformers", "en"]


@pytest.mark.parametrize(
    "setting", [{"port": 70000}, {"trainings": 0}, {"requests_per_minute": -1}, {"max_characters": 0}]
)
def test_an_impossible_setting_is_refused(setting):
    with pytest.raises(UserError, match=next(iter(setting))):
        AppConfig(**setting)


def test_the_readme_of_a_space_names_the_tested_gradio_and_this_file():
    card = (ROOT / "hf_llm/app/space.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---")[1])
    assert f"gradio=={front['sdk_version']}" in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert (ROOT / front["app_file"]).is_file()
    assert front["sdk"] == "gradio"


@pytest.mark.parametrize("most", [1, 60])
def test_few_steps_make_no_page_impossible(runs, most):
    building.build(AppConfig(runs=str(runs), training_steps=most))


def test_gradio_builds_its_server_once_with_all_pages(runs, monkeypatch):
    built, create_app = [], gr.routes.App.create_app
    monkeypatch.setattr(
        gr.routes.App, "create_app", lambda *args, **given: built.append(1) or create_app(*args, **given)
    )
    blocks, _ = building.build(AppConfig(runs=str(runs)))
    assert len(built) == 2  # and once without any
    pages = {"" if name == "home" else name for name in building.PAGES}
    assert {block.page for block in blocks.blocks.values() if isinstance(block, gr.Navbar)} == pages
