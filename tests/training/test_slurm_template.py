"""configs/slurm/pretrain.sbatch on two nodes, both this machine; srun, scancel and scontrol do here as SLURM's do."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from machines import ROOT, SETTINGS, end, wait_for_steps

pytestmark = pytest.mark.stress

# runs the command once for each node, the second when the first has opened the meeting point; TERM to srun itself kills
# all of it, as TERM to the real one does, and a signal by scancel reaches the tasks, but none of their children
SRUN = """
import os, signal, socket, subprocess, sys, time
import psutil
words = [word for word in sys.argv[1:]]
while words[0].startswith("--"):
    words.pop(0)
tasks = []
def kill(*_):
    for child in psutil.Process().children(recursive=True):
        child.kill()
signal.signal(signal.SIGTERM, kill)
signal.signal(signal.SIGUSR1, lambda *_: [task.terminate() for task in tasks])  # from scancel
open(os.environ["SRUN_PID"], "w").write(str(os.getpid()))
for node in (0, 1):
    tasks.append(subprocess.Popen(words, env=os.environ | {"SLURM_NODEID": str(node)}))
    while node == 0 and tasks[0].poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(os.environ["PORT"]))) == 0:
                break
        time.sleep(0.1)
sys.exit(max(abs(task.wait()) for task in tasks))
"""
SCANCEL = """
import os, signal, sys
assert sys.argv[1:] == ["--signal=TERM", os.environ["SLURM_JOB_ID"] + ".0"], sys.argv
os.kill(int(open(os.environ["SRUN_PID"]).read()), signal.SIGUSR1)
"""
SCONTROL = """
import os, sys
if sys.argv[1] == "show":
    print("127.0.0.1\\n127.0.0.1")
else:
    open(os.environ["REQUEUED"], "a").write(sys.argv[2])
"""


@pytest.fixture
def submit(tmp_path):
    """Return a function that runs the template in a folder with the project's files, as sbatch would."""
    for name in ("scripts", "configs", "hf_llm"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = {"bin/srun": SRUN, "bin/scontrol": SCONTROL, "bin/scancel": SCANCEL,
                ".venv/bin/accelerate": "from accelerate.commands.accelerate_cli import main\nmain()"}  # fmt: skip
    for name, source in programs.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"#!{sys.executable}\n{source}")
        (tmp_path / name).chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        job = free.getsockname()[1]
    environment = {
        "SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_ID": str(job), "SLURM_JOB_NUM_NODES": "2",
        "SLURM_JOB_NODELIST": "node[1-2]", "PROCESSES_PER_NODE": "1", "REQUEUED": str(tmp_path / "requeued"),
        "SRUN_PID": str(tmp_path / "srun-pid"),
        "CONFIG": "configs/accelerate/cpu-machines-c10d.yaml", "PYTHONPATH": str(ROOT),
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip

    def submit(*words: str) -> subprocess.Popen:
        template = ROOT / "configs" / "slurm" / "pretrain.sbatch"
        command = ["bash", str(template), *SETTINGS, f"--output_dir={tmp_path / 'run'}", *words]
        with (tmp_path / "output").open("a") as output:
            return subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT)

    return submit


def test_before_its_time_is_over_it_saves_and_queues_itself_and_then_goes_on(submit, tmp_path):
    steps = ("--max_steps=100", "--save_steps=1000", "--eval_steps=50")
    job = submit(*steps)
    try:
        wait_for_steps(tmp_path / "run" / "log.jsonl", 7, job)
        job.send_signal(signal.SIGTERM)  # as --signal=B:TERM does, to the shell alone
        assert job.wait(timeout=120) != 0
    finally:
        end(job)
    said = (tmp_path / "output").read_text(encoding="utf-8")
    assert "the same command goes on from there" in said, said
    assert (tmp_path / "requeued").exists()
    (tmp_path / "requeued").unlink()
    again = submit(*steps)
    try:
        assert again.wait(timeout=240) == 0, (tmp_path / "output").read_text(encoding="utf-8")
    finally:
        end(again)
    manifest = json.loads(Path(tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert manifest["world_size"] == 2
    assert manifest["resumed_from"][0] >= 6
    assert not (tmp_path / "requeued").exists()
