"""A command in a hostile environment, as the process that it is: entered here, then the program as a shell calls it.

The disks that lack a call are simulated: within a folder the call ends with the error that such a disk gives. What the
system itself can do is real: mounted disks, links, closed folders, variables, streams.

python -m hf_llm.benchmarks.hostile.child DESCRIPTION      for what libraries read when they load
"""

import ctypes
import errno
import json
import os
import runpy
import shutil
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """How a command is started.

    Attributes:
        words: What is typed after `hf-llm`.
        folder: The working folder.
        variables: The whole environment.
        weak: {call: error} of the disk below `disk`.
        disk: The folder that the weak disk holds.
        umask: Of the process.
        closed: Whether what is closed is closed to it, though it belongs to root.
        entry: Whether the system's list of users has its user.
        streams: {descriptor: path, or "" for a closed one}.
        met: File that gets a line for each call that the disk refused.
    """

    words: list[str]
    folder: str
    variables: dict[str, str]
    weak: dict[str, str]
    disk: str
    umask: int
    closed: bool
    entry: bool
    streams: dict[str, str]
    met: str


def enter(place: Place) -> None:
    """Make the environment that of this process."""
    os.chdir(place.folder)
    os.environ.clear()
    os.environ.update(place.variables)
    os.umask(place.umask)
    for descriptor, path in sorted(place.streams.items(), reverse=True):
        descriptor = int(descriptor)
        if path:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND if descriptor else os.O_RDONLY
            opened = os.open(path, flags, 0o666)
            os.dup2(opened, descriptor)
            os.close(opened)
        else:
            os.close(descriptor)
    if place.weak:
        weaken(place)
    if not place.entry:
        import pwd

        pwd.getpwuid = pwd.getpwnam = _no_entry
    if place.closed and os.geteuid() == 0:
        drop_roots_right_to_everything()


def weaken(place: Place) -> None:
    """Replace the calls that the disk lacks."""
    import fcntl

    def below(path) -> bool:
        path = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else os.path.realpath(path)
        return os.fsdecode(path).startswith(place.disk)

    def refuses(call: str, path) -> bool:
        if call not in place.weak or not below(path):
            return False
        with open(place.met, "a") as file:
            file.write(f"{call}\n")
        return True

    def instead(module, name: str, call):
        real = getattr(module, name)

        def replaced(path, *rest, **more):
            kind = call(path)
            if refuses(kind, path):
                number = getattr(errno, place.weak[kind])
                raise OSError(number, os.strerror(number))
            return real(path, *rest, **more)

        setattr(module, name, replaced)

    def kind_of_sync(descriptor: int) -> str:
        return "fsync of a folder" if os.path.isdir(os.readlink(f"/proc/self/fd/{descriptor}")) else "fsync"

    instead(os, "fsync", kind_of_sync)
    instead(fcntl, "flock", lambda _: "flock")
    instead(os, "chmod", lambda _: "chmod")
    if "statvfs" in place.weak:
        usage, said = shutil.disk_usage, place.weak["statvfs"]
        answer = type(usage("/"))(*((0, 0, 0) if said == "nothing" else (1 << 40, 0, 1 << 40)))
        shutil.disk_usage = lambda path: answer if refuses("statvfs", path) else usage(path)


def drop_roots_right_to_everything() -> None:
    """Take from root the capabilities that pass over modes (capset(2)): what is closed is then closed to it, too."""

    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]

    class Data(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]

    libc, header, data = ctypes.CDLL(None, use_errno=True), Header(0x20080522, 0), (Data * 2)()
    libc.capget(ctypes.byref(header), data)
    for each in (data[0],):
        keep = ~((1 << 1) | (1 << 2) | (1 << 3))  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
        each.effective &= keep
        each.permitted &= keep
    if libc.capset(ctypes.byref(header), data):
        raise OSError(ctypes.get_errno(), "capset")


def _no_entry(who):
    raise KeyError(f"getpwuid(): uid not found: {who}")


def run_program(words: list[str]) -> int:
    """Call `hf-llm` with these words, and return the exit code; what it lets through is a traceback, as in Python."""
    sys.argv, code = ["hf-llm", *words], 1
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does, which the program undoes
    try:
        runpy.run_module("hf_llm", run_name="__main__")
        code = 0
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else 1
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # full, closed, or none at all
            stream.flush()
    return code


if __name__ == "__main__":
    described = Place(**json.loads(Path(sys.argv[1]).read_text(encoding="ascii")))
    enter(described)
    sys.exit(run_program(described.words))
