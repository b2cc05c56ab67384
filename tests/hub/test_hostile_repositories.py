"""Each hostile repository goes off after a naive pull, and does not after ours: see hostile_*.py.

Ours has a limit on memory and time besides, set by the operating system: nothing that a stranger writes lifts either.
"""

import shutil
import sys

import pytest
from hostile_case import CANARY
from hostile_files import FILES
from hostile_settings import SETTINGS, secret_weights
from hostile_sizes import SIZES
from test_pull import RUN, files_below, read
from test_push import refused, succeeded

from hf_llm.benchmarks.fork_server import HubScripts

resource = pytest.importorskip("resource")
if not sys.platform.startswith("linux"):
    pytest.skip("limits of other processes are set on Linux only", allow_module_level=True)

MEMORY = 3 * 2**30  # bytes of address space; the interpreter with its libraries takes half of that
SECONDS = 60  # of a processor
NAIVE, VICTIMS = "../tests/hub/naive_pull.py", "../tests/hub/hostile_victims.py"


@pytest.fixture(scope="module")
def limited_pulls(one_hub, tmp_path_factory):
    """A process that forks for each pull, within limits."""
    home = tmp_path_factory.mktemp("hostile") / "home"
    with HubScripts(one_hub.environment(home), home, False) as pulls:
        resource.prlimit(pulls.server.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.prlimit(pulls.server.pid, resource.RLIMIT_CPU, (SECONDS, SECONDS))
        yield pulls


@pytest.fixture(scope="module")
def model(trained) -> dict[str, bytes]:
    return read(trained / "verdict", RUN)


@pytest.mark.parametrize("case", [*FILES, *SETTINGS, *SIZES], ids=lambda case: case.name.replace(" ", "-"))
def test_it_goes_off_after_a_naive_pull_and_not_after_ours(hub, limited_pulls, heavy_scripts, model, tmp_path, case):
    pulls, victims = limited_pulls, heavy_scripts
    if case.victim == "run_git_in_it" and shutil.which("git") is None:
        pytest.skip("needs git")
    naive, ours = tmp_path / "naive", tmp_path / "ours"
    canaries = [folder / CANARY for folder in (naive, ours)]
    for folder in (naive, ours):
        folder.mkdir()
        (folder / "secret.safetensors").write_bytes(secret_weights(model))

    publish(hub, case, model, canaries[0])
    said = victims(NAIVE, hub.url, "evil/model", naive / "pulled", *["windows"] * case.windows).stdout
    said += run_victim(victims, case, naive / "pulled")
    assert case.fires(said) if case.fires else canaries[0].exists(), said

    hub.clear()
    commit = publish(hub, case, model, canaries[1])
    before = files_below(ours)
    result = pulls(
        "hub.py", "pull", "evil/model", ours / "pulled", *(word.format(commit=commit) for word in case.words)
    )
    if case.refusal:
        assert case.refusal in refused(result)
        assert files_below(ours) == before  # nothing pulled, nothing written elsewhere
        said = ""
    else:
        succeeded(result)
        said = run_victim(victims, case, ours / "pulled") + "\n".join(files_below(ours / "pulled"))
    assert not canaries[1].exists()
    assert not (case.fires and case.fires(said))
    assert "\x1b" not in result.stdout + result.stderr


def publish(hub, case, model, canary) -> str:
    """Put the repository on the Hub, return the commit that people look at, then let the tweak happen."""
    repository = hub.create("evil/model", case.files(model, str(canary)))
    commit = repository.branches["main"]
    case.tweak(hub, str(canary))
    return commit


def run_victim(victims, case, folder) -> str:
    if case.victim is None:
        return ""
    result = victims(VICTIMS, case.victim, folder)
    assert result.returncode == 0, result.stderr
    return result.stdout
