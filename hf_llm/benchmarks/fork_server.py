"""Run the scripts as they are typed, each in a process of its own, without the seconds that its imports take.

A server process imports the libraries once and forks for each command; the child gets the command line, its streams,
and from there is what `python scripts/<name>.py …` would be. Where forking is not safe, each is a new interpreter.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from subprocess import CompletedProcess

from hf_llm.config import SOURCE, child_environment, python

LIBRARIES = (
    "torch", "accelerate", "matplotlib.pyplot", "transformers.hf_argparser", "transformers.trainer",
    "transformers.models.gpt2.modeling_gpt2",
)  # fmt: skip
LIGHT = ("huggingface_hub.hf_api", "safetensors", "transformers.hf_argparser", "yaml")


class Scripts:
    """Call it with a script's name and its arguments; a context manager that ends the server.

    Args:
        libraries: What the server imports once for all.
        environment: The variables of the server and of each command; None takes those of this process.
    """

    def __init__(self, libraries: tuple[str, ...] = LIBRARIES, environment: dict[str, str] | None = None):
        self.libraries, self.environment = libraries, environment or child_environment()

    def __enter__(self):
        self.server = None
        if sys.platform == "linux":
            self.server = subprocess.Popen(
                python("-m", "hf_llm.benchmarks.fork_server", *self.libraries),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=SOURCE, env=self.environment,
            )  # fmt: skip
        return self

    def __exit__(self, *error):
        if self.server:
            self.server.stdin.close()
            self.server.wait()

    def __call__(self, script: str | Path, *arguments) -> CompletedProcess:
        """Run `python scripts/<script> <arguments>` in the project's root, with nothing to read on stdin."""
        command = [str(SOURCE / "scripts" / script), *map(str, arguments)]
        if self.server is None:
            return subprocess.run(
                [sys.executable, *command], cwd=SOURCE, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                env=self.environment,
            )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            streams = [str(Path(folder) / name) for name in ("stdout", "stderr")]
            print(json.dumps({"command": command, "streams": streams}), file=self.server.stdin, flush=True)
            returncode = int(self.server.stdout.readline())
            stdout, stderr = (Path(stream).read_text(encoding="utf-8") for stream in streams)
        return CompletedProcess(command, returncode, stdout, stderr)


class HubScripts(Scripts):
    """Call it as `Scripts`, with the token that the client has.

    huggingface_hub reads the Hub's address when it is imported, which the server does: it knows one Hub.

    Args:
        hub: The variables of a client of that Hub, with the token of a writer.
        home: Folder for the client's token and caches.
        xet: Whether large files go by Xet, else by LFS.
    """

    def __init__(self, hub: dict[str, str], home: Path, xet: bool, libraries: tuple[str, ...] = LIGHT):
        self.home, self.token, self.xet = home, hub["HF_TOKEN"], xet
        own = {"HF_HOME": str(home), "HF_TOKEN": "", "HF_HUB_DISABLE_XET": str(int(not xet)), "PYTHONPATH": str(SOURCE)}
        super().__init__(libraries, os.environ | hub | own)

    def __call__(self, script: str | Path, *arguments, token: str | None = None) -> CompletedProcess:
        """Run `python scripts/<script> <arguments>` with a token, by default the writer's; "" for none."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "token").write_text(self.token if token is None else token)
        return super().__call__(script, *arguments)


def serve(libraries: list[str]) -> None:
    """Fork for each line on stdin, and answer with the exit code."""
    # a command sets it itself, and the libraries read it when they load, which is now
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for library in libraries:
        __import__(library)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(**request)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def become(command: list[str], streams: list[str]) -> None:
    """Be the process of a command, but for the interpreter's shutdown, which takes a second with torch loaded."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT), descriptor)
    sys.argv, code = command, 1
    sys.path.insert(0, str(Path(command[0]).parent))
    try:
        runpy.run_path(command[0], run_name="__main__")
        code = 0
    except SystemExit as exit:
        code = exit.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1:])
