import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hf_llm.config import UserError
from hf_llm.runs.lock import hold

HOLDER = """
import sys
from pathlib import Path
from hf_llm.runs.lock import hold

with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds tmp_path/run."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_was_killed(tmp_path, holder):
    with pytest.raises(UserError, match="is in use by another process"), hold(tmp_path / "run"):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with hold(tmp_path / "run"):
        pass


def test_a_second_hold_in_the_same_process_is_refused_until_the_first_ended(tmp_path):
    with hold(tmp_path):
        with pytest.raises(UserError, match="in use"), hold(tmp_path):
            pass
        with pytest.raises(UserError, match="in use"), hold(tmp_path):  # the refusal freed nothing
            pass
    with hold(tmp_path):
        pass


def test_an_error_in_the_body_frees_the_folder(tmp_path):
    with pytest.raises(OSError, match="of the body"), hold(tmp_path):
        raise OSError("of the body")  # not to be mistaken for the lock's
    with hold(tmp_path):
        pass


def test_a_folder_below_a_file_gets_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run", tmp_path / "file" / "a" / "run"):
        with pytest.raises(UserError, match=r"cannot be written .*output_dir"), hold(Path(folder)):
            pass
