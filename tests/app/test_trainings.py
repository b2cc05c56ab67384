"""Trainings as processes: real runs of a nano GPT-2 on the sample that are paused, resumed, found again and packed."""

import shlex
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors.numpy import load_file

from hf_llm.app.server.training_process import PROGRAM, Training
from hf_llm.app.server.trainings import FOLDER, KEPT, Trainings
from hf_llm.config import UserError, parse
from hf_llm.recipes.pretrain import pretrain
from hf_llm.runs.atomic import write_json
from hf_llm.runs.manifest import read_manifest
from hf_llm.training.config import PretrainConfig

STEPS = 60
NANO = [
    "pretrain", "--corpus", "sample", "--model", "nano", "--n_positions", "32", "--n_embd", "32",
    "--vocab_size", "300", "--max_steps", str(STEPS), "--warmup_steps", "0", "--total_batch_size", "4",
    "--per_device_train_batch_size", "4", "--eval_steps", "30", "--eval_tokens", "200", "--logging_steps", "1",
    "--sample_tokens", "4", "--threads", "1", "--precision", "fp32",
]  # fmt: skip
# a process that goes on until it is asked to end, and another that ends at once; for these the program is Python
ENDLESS = ["-c", "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(2)); time.sleep(60)"]


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@pytest.fixture
def bare(monkeypatch):
    """The program is Python itself, so that a command may be any code."""
    monkeypatch.setattr("hf_llm.app.server.training_process.PROGRAM", [sys.executable])


@pytest.fixture
def trainings(tmp_path):
    made = Trainings(tmp_path, at_once=1, seconds=600)
    yield made
    made.shutdown()


def test_paused_resumed_and_found_again_it_ends_with_the_weights_of_an_undisturbed_run(tmp_path):
    first = Trainings(tmp_path, at_once=1, seconds=600)
    training = first.start("gpt2", NANO)
    assert training.state == "running"
    wait_for(lambda: len(training.records()) >= 3)
    training.end("paused")
    training.end("paused")  # clicked twice: a second signal would end it before it has saved
    assert training.ending
    wait_for(lambda: training.state != "running")
    assert training.state == "paused"
    reached = training.records()[-1]["step"]
    assert 3 <= reached < STEPS
    assert (training.folder / "checkpoints" / f"step-{reached:06d}").is_dir()
    first.shutdown()

    later = Trainings(tmp_path, at_once=1, seconds=600)  # the app was started anew
    found = later.get(training.name)
    assert (found.state, found.command, found.records()) == ("paused", training.command, training.records())
    assert found.seconds == pytest.approx(training.seconds)
    later.resume(found)
    wait_for(lambda: found.state != "running")
    assert found.state == "finished"
    assert read_manifest(found.folder)["resumed_from"] == [reached]
    assert found.seconds > training.seconds

    undisturbed = tmp_path / "undisturbed"
    pretrain(parse(PretrainConfig, [*NANO[1:], "--output_dir", str(undisturbed)]))
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (found.folder, undisturbed))
    assert ours.keys() == theirs.keys()
    assert all((ours[name] == theirs[name]).all() for name in ours)
    assert [record["loss"] for record in found.records()] == [
        record["loss"] for record in Training("", undisturbed, [], tmp_path, tmp_path, 1).records()
    ]

    with zipfile.ZipFile(later.archive(found)) as archive:
        assert archive.testzip() is None
        names = {name.removeprefix(f"{found.folder.name}/") for name in archive.namelist()}
    assert {"model.safetensors", "tokenizer.json", "run.json", "log.jsonl", "README.md"} <= names
    assert not any("checkpoints" in name or "/." in name or name.startswith(".") for name in names)
    later.shutdown()


def test_the_error_message_of_a_script_is_kept(trainings):
    training = trainings.start("gpt2", [*NANO, "--vocab_size", "12"])
    wait_for(lambda: training.state != "running")
    assert training.state == "failed"
    assert training.error().startswith("vocab_size 12 is too small")


def test_a_traceback_stays_on_the_server(bare, trainings):
    training = trainings.start("any", ["-c", "raise RuntimeError('secret')"])
    wait_for(lambda: training.state != "running")
    assert (training.state, training.error()) == ("failed", "")


def test_no_more_than_may_run_at_once(bare, trainings):
    training = trainings.start("any", ENDLESS)
    with pytest.raises(UserError, match="the most this app allows at once") as refused:
        trainings.start("any", ENDLESS)
    assert "o máximo deste aplicativo" in refused.value.in_language("pt-BR")
    assert len(list(trainings.folder.glob(".inputs/*"))) == 1  # what was refused left nothing behind
    training.end("stopped")
    wait_for(lambda: training.state == "stopped")
    trainings.start("any", ["-c", "pass"])


def test_its_time_ends_and_is_not_given_again(bare, tmp_path):
    trainings = Trainings(tmp_path, at_once=1, seconds=0.3)
    training = trainings.start("any", ENDLESS)
    wait_for(lambda: training.state == "stopped")
    assert training.left == 0
    trainings.resume(training)
    assert training.state == "stopped"
    training.wait(10)  # until its record is written
    paused = Training.found(training.name, training.folder, training.home, training.beside, limit=0.3)
    paused._before = "paused"
    with pytest.raises(UserError, match="0 seconds"):
        trainings.resume(paused)


def test_one_that_does_not_end_when_asked_is_killed(bare, monkeypatch, tmp_path):
    monkeypatch.setattr("hf_llm.app.server.training_process.GRACE", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    training = Trainings(tmp_path, at_once=1, seconds=1.5).start("any", ["-c", deaf])
    wait_for(lambda: training.state == "stopped", seconds=30)


def test_a_process_that_a_killed_app_left_is_watched_until_it_ends(bare, trainings):
    held = "import sys, filelock, pathlib; f = pathlib.Path(sys.argv[2]); f.mkdir(parents=True); " \
        "l = filelock.FileLock(f / '.lock'); l.acquire(); input()"  # fmt: skip
    left = trainings.start("any", ["-c", "pass"])
    wait_for(lambda: left.state != "running")
    process = subprocess.Popen([sys.executable, "-c", held, "--output_dir", str(left.folder)], stdin=subprocess.PIPE)
    wait_for(lambda: (left.folder / ".lock").exists())
    write_json(left.beside / "training.json", {"command": left.command, "state": "running", "seconds": 1.0})
    later = Trainings(trainings.folder.parent, at_once=1, seconds=600)
    found = later.get(left.name)
    wait_for(lambda: found.state == "running")
    assert not found.ours
    with pytest.raises(UserError, match="the most this app allows at once"):
        later.start("any", ["-c", "pass"])
    process.communicate(b"\n")
    assert found.state == "paused"
    write_json(left.folder / "run.json", {"config": {}, "metrics": {}})
    assert found.state == "finished"


def test_no_process_outlives_the_app(bare, trainings):
    training = trainings.start("any", ENDLESS)
    trainings.shutdown()
    assert training._process.poll() is not None
    assert Trainings(trainings.folder.parent, 1, 600).get(training.name).state == "paused"


def test_a_text_reaches_the_script_as_a_file_and_braces_inside_an_argument_stay(bare, trainings):
    show = "import sys; print('error:', open(sys.argv[1], newline='').read() == 'é\\r\\n{text.txt}', sys.argv[2])"
    training = trainings.start(
        "any", ["-c", show, "{text.txt}", "--prompt={0.__class__} {text.txt}"], {"text.txt": "é\r\n{text.txt}"}
    )
    wait_for(lambda: training.state != "running")
    assert training.error() == "True --prompt={0.__class__} {text.txt}"


def test_the_shown_command_is_the_one_that_runs_and_a_shell_takes_it_as_it_is(trainings):
    hostile = "--sample_prompt=$(touch x) `y` 'z'"
    training = trainings.start("plan", ["plan", hostile])
    assert shlex.split(training.shown_command()) == ["hf-llm", *training.command]
    assert training._process.args == [*PROGRAM, *training.command]


def test_the_command_has_no_absolute_path_and_runs_where_the_folder_of_runs_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainings = Trainings(Path("runs"), at_once=1, seconds=60)
    training = trainings.start("any", ["plan", "{text.txt}"], {"text.txt": "a"})
    name = training.folder.name
    inputs = f"runs/{FOLDER}/.inputs/{name}/text.txt"
    assert training.command == ["plan", inputs, "--output_dir", f"runs/{FOLDER}/{name}"]
    assert training.home == tmp_path
    trainings.shutdown()


@pytest.mark.parametrize("name", ["page/../verdict", "page/", "../page/x", "page/.inputs", "", "verdict", "page/A b"])
def test_a_name_from_the_address_reaches_nothing_else(trainings, name):
    assert trainings.get(name) is None


def test_the_oldest_go(bare, monkeypatch, tmp_path):
    monkeypatch.setattr("hf_llm.app.server.trainings.KEPT", 1)
    assert KEPT > 1
    trainings = Trainings(tmp_path, at_once=2, seconds=60)
    running = trainings.start("any", ENDLESS)
    ended = trainings.start("any", ["-c", "pass"])
    wait_for(lambda: ended.state == "finished")
    time.sleep(0.05)
    newest = trainings.start("any", ["-c", "pass"])
    assert trainings.get(ended.name) is None
    assert trainings.get(running.name) is running
    assert trainings.get(newest.name) is newest
    trainings.shutdown()


def test_a_second_click_sends_no_second_signal(tmp_path):
    # which would end the process before it has saved
    training, signals = Training("page/x", tmp_path / "x", [], tmp_path, tmp_path / "beside", 10.0), []
    training._process = SimpleNamespace(poll=lambda: None, terminate=lambda: signals.append("SIGTERM"))
    training.end("paused")
    training.end("stopped")
    assert signals == ["SIGTERM"]
