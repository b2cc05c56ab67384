"""What a script's exit code and its last line on stderr are, for each way that it can end."""

import doctest
import errno
import os
import subprocess
import sys

import pytest

from hf_llm.config import UserError, command, errors
from hf_llm.config.errors import LONGEST
from hf_llm.texts import both


def ends_with(capsys, main) -> tuple[int, str]:
    """Return exit code and stderr of a command."""
    with pytest.raises(SystemExit) as exit:
        command(main)()
    return exit.value.code, capsys.readouterr().err


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1)])
def test_the_code_is_what_main_returns(capsys, returned, code):
    assert ends_with(capsys, lambda: returned) == (code, "")


def test_a_user_error_is_one_line(capsys):
    def main():
        raise UserError("the file is damaged:\nline 3\r\nline 4")

    assert ends_with(capsys, main) == (2, "error: the file is damaged: line 3 line 4\n")


def test_what_a_stranger_wrote_does_not_move_the_cursor(capsys):
    def main():
        raise UserError("no class \x1b[2J\x07\u202e of ours")

    assert ends_with(capsys, main) == (2, "error: no class �[2J�� of ours\n")


def test_a_message_without_end_loses_its_middle(capsys):
    said = both("data.unreadable", path="x" * 171_000, error="mend it so")

    def main():
        raise UserError(said)

    code, stderr = ends_with(capsys, main)
    assert (code, stderr[:20], stderr[-11:]) == (2, "error: " + "x" * 13, "mend it so\n")
    assert len(UserError(said).in_language("pt-BR")) == LONGEST == len(stderr.removeprefix("error: ")) - 1


def test_the_example_in_the_docstring():
    assert doctest.testmod(errors).failed == 0


def test_a_subclass_too(capsys):
    class Missing(UserError): ...

    def main():
        raise Missing("not here")

    assert ends_with(capsys, main) == (2, "error: not here\n")


def test_ctrl_c(capsys):
    def main():
        raise KeyboardInterrupt

    assert ends_with(capsys, main) == (130, "stopped\n")


def test_a_name_that_is_too_long_for_any_system(capsys):
    def main():
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), "x" * 9)

    assert ends_with(capsys, main) == (2, "error: no file or folder can have so long a name: 'xxxxxxxxx'\n")


@pytest.mark.parametrize("bug", [ValueError("a bug"), OSError(errno.EIO, "a bug"), FileNotFoundError("a bug")])
def test_a_bug_keeps_its_traceback(bug):
    def main():
        raise bug

    with pytest.raises(type(bug), match="a bug"):
        command(main)()


def test_what_libraries_read_when_they_load_is_set_before(capsys, monkeypatch):
    for given, expected in ({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"):
        monkeypatch.setattr(os, "environ", given)
        seen = {}
        ends_with(capsys, lambda seen=seen: seen.update(os.environ))
        others = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONSAFEPATH": "1"}  # stderr is no terminal here
        assert seen == {"OMP_WAIT_POLICY": expected, **others}


def test_the_name_stays():
    @command
    def main():
        """What it does."""

    assert (main.__name__, main.__doc__) == ("main", "What it does.")


def script(body: str) -> list[str]:
    source = f"from hf_llm.config import UserError, command\n@command\ndef main():\n    {body}\nmain()"
    return [sys.executable, "-c", source]


def test_what_the_console_cannot_show_becomes_a_question_mark():
    run = subprocess.run(
        script(r"print('ação'); raise UserError('lone \udce9, 漢')"),
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "SYSTEMROOT": "C:\\Windows"},
    )
    assert run.returncode == 2
    assert run.stdout.split() == [b"a??o"]
    assert run.stderr.split() == [b"error:", b"lone", b"?,", b"?"]


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe without a reader is another error on Windows")
@pytest.mark.parametrize("body", ["print('x')", "[print('x' * 999, flush=True) for _ in range(9999)]"])
def test_a_reader_that_leaves_early_is_no_error(body):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        script(f"input(); {body}"),
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    _, stderr = process.communicate(b"go\n")
    assert (process.returncode, stderr) == (141, b"")
