"""Trainings as processes: real runs of a nano GPT-2 on the sample that are paused, resumed, found again and packed."""

import re
import shlex
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from safetensors.numpy import load_file

from hf_llm.app.server.training_process import PROGRAM, Training
from hf_llm.app.server.trainings import FOLDER, Trainings
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


def test_trainings_wait_in_the_order_of_their_coming_one_of_each_visitor(bare, trainings):
    first = trainings.start("any", ENDLESS, owner="ana")
    second, third, fourth = (trainings.start("any", ENDLESS, owner=owner) for owner in ("rui", "eva", "gil"))
    assert [each.state for each in (first, second, third, fourth)] == ["running", "waiting", "waiting", "waiting"]
    assert [trainings.get(each.name).place for each in (second, third, fourth)] == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(UserError, match="of yours") as refused:
        trainings.start("any", ENDLESS, owner="rui")
    assert "Um treino seu" in refused.value.in_language("pt-BR")
    assert len(list(trainings.folder.glob(".inputs/*"))) == 4  # what was refused left nothing behind
    third.end("stopped")  # gives up
    first.end("stopped")
    wait_for(lambda: first.state == "stopped")
    assert trainings.get(second.name).state == "running"
    assert trainings.get(fourth.name).place == (1, 1)
    assert third.state == "stopped"


def test_who_waits_and_does_not_look_any_more_is_passed_over(bare, trainings, monkeypatch):
    first, gone, here = (trainings.start("any", ENDLESS, owner=owner) for owner in ("ana", "rui", "eva"))
    gone.looked_at -= 1000
    trainings.get(here.name)
    assert (gone.state, here.place) == ("stopped", (1, 1))
    first.end("stopped")
    wait_for(lambda: first.state == "stopped")
    assert trainings.get(here.name).state == "running"


def test_a_paused_one_waits_for_its_turn_again(bare, trainings):
    first, second = (trainings.start("any", ENDLESS, owner=owner) for owner in ("ana", "rui"))
    first.end("paused")
    wait_for(lambda: first.state == "paused")
    trainings.get(second.name)
    trainings.resume(first)
    assert (first.state, second.state) == ("waiting", "running")


def test_one_that_waited_when_the_app_ended_can_be_resumed(bare, trainings):
    trainings.start("any", ENDLESS, owner="ana")
    waits = trainings.start("any", ENDLESS, owner="rui")
    trainings.shutdown()
    found = Trainings(trainings.folder.parent, 1, 600).get(waits.name)
    assert (found.state, found.owner) == ("paused", waits.owner)
    assert found.owned_by("rui")
    assert not found.owned_by("ana")


def test_not_all_of_a_school_waits(bare, trainings, monkeypatch):
    monkeypatch.setattr("hf_llm.app.server.trainings.WAITING", 1)
    trainings.start("any", ENDLESS, owner="ana")
    trainings.start("any", ENDLESS, owner="rui")
    with pytest.raises(UserError, match="Try again in a few minutes"):
        trainings.start("any", ENDLESS, owner="eva")


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
    waits = later.start("any", ["-c", "pass"])
    assert waits.state == "waiting"
    process.communicate(b"\n")
    assert found.state == "paused"
    later.get(waits.name)
    wait_for(lambda: waits.state == "finished")
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


def finished(trainings: Trainings, name: str) -> Path:
    """Make a training that an earlier process of the app finished; return its run folder."""
    folder, beside = trainings.folder / name, trainings.folder / ".inputs" / name
    for each in (folder, beside):
        each.mkdir(parents=True)
    write_json(beside / "training.json", {"command": ["-c", "pass"], "state": "running", "seconds": 1.0})
    write_json(folder / "run.json", {"config": {}, "metrics": {}})
    return folder


def test_models_stay_whatever_is_started_and_stopped(bare, tmp_path):
    trainings = Trainings(tmp_path, at_once=1, seconds=60, most=5)
    models = [finished(trainings, f"gpt2-{number}") for number in range(3)]
    names = []
    for number in range(12):
        training = trainings.start("any", ENDLESS, owner=str(number))
        training.end("paused" if number % 2 else "stopped")
        wait_for(lambda training=training: training.state != "running")
        names.append(training.name)
    assert all((folder / "run.json").is_file() for folder in models)
    assert len(list(trainings.folder.glob(".inputs/*"))) == 5
    assert trainings.get(names[-1]) is not None  # the newest of what came to no end
    trainings.shutdown()


def test_a_full_folder_and_a_full_disk_take_nothing_new(bare, tmp_path, monkeypatch):
    trainings = Trainings(tmp_path / "runs", at_once=2, seconds=60, most=2)
    finished(trainings, "gpt2-a")
    running = trainings.start("any", ENDLESS)
    with pytest.raises(UserError, match=r"already keeps 2 models.*runs/page") as refused:
        trainings.start("any", ENDLESS)
    assert "já guarda 2 modelos" in refused.value.in_language("pt-BR")
    monkeypatch.setattr("hf_llm.app.server.trainings.free_bytes", lambda folder: 10_000_000)
    with pytest.raises(UserError, match="less than 1,000 MB"):
        trainings.start("any", ENDLESS)
    assert running.state == "running"
    trainings.shutdown()


@pytest.mark.parametrize(
    ("title", "part"),
    [("Capitu da Ana", "-capitu-da-ana-"), ("Conceição!", "-conceicao-"), ("../../etc", "-etc-"), ("猫", "-"),
     ("", "-"), ("x" * 99, f"-{'x' * 24}-")],
)  # fmt: skip
def test_a_model_bears_the_name_that_it_was_given_and_a_date(bare, trainings, title, part):
    name = trainings.start("gpt2", ["-c", "pass"], title=title).name
    assert re.fullmatch(rf"page/gpt2{part}\d{{4}}-\d\d-\d\d-[a-z0-9]{{6}}", name)
    assert trainings.get(name) is not None


def test_a_second_click_sends_no_second_signal(tmp_path):
    # which would end the process before it has saved
    training, signals = Training("page/x", tmp_path / "x", [], tmp_path, tmp_path / "beside", 10.0), []
    training._process = SimpleNamespace(poll=lambda: None, terminate=lambda: signals.append("SIGTERM"))
    training.end("paused")
    training.end("stopped")
    assert signals == ["SIGTERM"]


def test_a_training_takes_what_the_pages_leave_of_the_cores(bare, trainings):
    training = trainings.start("any", ENDLESS)
    theirs, ours = (psutil.Process(pid).nice() for pid in (training._process.pid, None))
    assert theirs > ours if sys.platform != "win32" else theirs == psutil.BELOW_NORMAL_PRIORITY_CLASS
