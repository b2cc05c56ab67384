"""`hf-llm app` as it is typed: it says where it is, and a port that is taken meets a sentence."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from hf_llm.app.config import AppConfig
from hf_llm.config import UserError

ROOT = Path(__file__).parents[2]


def test_a_zero_gpu_space_finds_its_function_before_torch_is_there(tmp_path):
    (tmp_path / "spaces.py").write_text(
        "import sys\n"
        "def GPU(function):\n"
        "    assert callable(function) and 'torch' not in sys.modules and 'gradio' not in sys.modules\n"
        "    print('a GPU function', file=sys.stderr)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    run = subprocess.run(
        [sys.executable, "space_app.py", "--help"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert run.returncode == 0
    assert run.stderr == "a GPU function\n"


def test_gradios_own_variables_say_where_it_listens(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7123")
    assert AppConfig().port == 7123
    assert AppConfig(port=0).port == 0
    monkeypatch.setenv("GRADIO_SERVER_PORT", "many")
    with pytest.raises(UserError, match="GRADIO_SERVER_PORT must be a port, not 'many'"):
        AppConfig()
    code = "from hf_llm.app.config import AppConfig; print(AppConfig(port=1).host)"
    named = os.environ | {"GRADIO_SERVER_NAME": "0.0.0.0"}
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True, env=named) == "0.0.0.0\n"


@pytest.fixture
def app(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "space_app.py", "--port", "0", "--runs", str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


def test_it_says_where_it_is_refuses_a_taken_port_and_ends_when_told(app):
    said = app.stdout.readline()
    address = re.fullmatch(r"the app is at (http://127\.0\.0\.1:(\d+)/) \(Ctrl-C ends it\)\n", said)
    assert address, said
    with urlopen(address[1]) as page:
        assert page.status == 200
    second = subprocess.run(
        [sys.executable, "space_app.py", "--port", address[2]], cwd=ROOT, capture_output=True, text=True
    )
    assert second.returncode != 0
    assert second.stderr.startswith(f"error: port {address[2]} of 127.0.0.1 is taken")
    assert "Traceback" not in second.stderr
    if os.name == "posix":
        app.send_signal(signal.SIGTERM)
        assert app.wait(60) == 0
