"""`python space_app.py` as it is typed: it says where it is, and a port that is taken meets a sentence."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]


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
