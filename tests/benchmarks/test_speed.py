"""The contests of speed: who takes part, and what is made of their times, which no test judges."""

import pytest
from PIL import Image

from hf_llm.benchmarks import generation, training_speed
from hf_llm.benchmarks.exports.shapes import Shape, source_of
from hf_llm.benchmarks.figure import draw_speeds
from hf_llm.benchmarks.record import ratios, speeds
from hf_llm.data import read_text
from hf_llm.planning.matmul_probe import Speed
from hf_llm.tokenization.tokenizer import train_bpe


def test_a_speed_is_of_the_median_and_a_ratio_of_the_same_round():
    times = {"ours": [1.0, 2.0, 4.0], "theirs": [2.0, 4.0, 4.0]}
    assert speeds(times, 8)["ours"] == {"tokens_per_second": 4, "slowest": 2, "fastest": 8}
    assert speeds(times, 1, digits=1)["theirs"] == {"tokens_per_second": 0.2, "slowest": 0.2, "fastest": 0.5}
    assert ratios(times, ["ours"]) == {"ours": {"theirs": 2.0}}  # 2, 2 and 1 times as long


def test_the_picture_shows_every_contestant(tmp_path):
    times = {"ours": [1.0, 2.0], "theirs": [2.0, 4.0], "another": [9.0, 9.0]}
    draw_speeds(tmp_path / "speed.png", {"small": speeds(times, 8), "verdict": speeds({"ours": [1.0]}, 8)}, ["ours"])
    with Image.open(tmp_path / "speed.png") as picture:
        assert picture.width > picture.height > 100
        blue, grey = (0, 114, 178), (176, 176, 176)
        assert {blue, grey} <= {colour for _, colour in picture.convert("RGB").getcolors(2**24)}


@pytest.fixture
def source():
    return source_of(Shape(36, 4, 2, 40, 300, True, 0), train_bpe(read_text("sample").text, 300))


def test_all_that_write_write_the_same_and_a_baseline_that_fails_is_listed(source, monkeypatch, tmp_path):
    def broken(tokens):
        raise RuntimeError("no such cache")

    made = generation.contestants_of

    def contestants_of(source, scratch):
        found = made(source, scratch)
        return {name: found[name] for name in ("ours fp32", "generate fp32")} | {"broken": broken}

    monkeypatch.setattr(generation, "OURS", ["ours fp32"])
    monkeypatch.setattr(generation, "engines", lambda *_: {})
    monkeypatch.setattr(generation, "contestants_of", contestants_of)
    monkeypatch.setattr(generation, "ROUNDS", 1)
    monkeypatch.setattr(generation, "KINDS", {"fp32": 0})
    found = generation.contest(source, 10, tmp_path)
    assert found["failed"] == {"broken": "no such cache"}
    assert found["same_text_as_fp32"] == {"ours fp32": True, "generate fp32": True}
    assert found["ours_over_theirs"]["ours fp32"].keys() == {"generate fp32"}
    assert found["bits_per_byte"]["fp32_change"] == 0
    draw_speeds(tmp_path / "speed.png", {"tiny": found["timings"]}, generation.OURS)


def test_the_three_loops_take_their_steps(make_config, monkeypatch):
    monkeypatch.setattr(training_speed, "ROUNDS", 1)
    monkeypatch.setattr(training_speed, "OURS", {"ours fp32": {"precision": "fp32"}, "ours bf16": {}})
    monkeypatch.setattr(training_speed, "TRAINERS", {"Trainer, its default": {}})
    monkeypatch.setattr(training_speed, "machine_speed", lambda *_: Speed(1e11, 1e9, 1e10, 1e-6))
    config = make_config(max_steps=3 + training_speed.UNTIMED, eval_tokens=64)
    found = training_speed.contest(config, without=("ours bf16",))
    names = {"ours fp32", "Trainer, its default", "bare loop, fp32"}
    assert found["timings"].keys() == found["share_of_peak"].keys() == found["first_step_seconds"].keys() == names
    assert found["ours_over_theirs"]["ours fp32"].keys() == names - {"ours fp32"}
