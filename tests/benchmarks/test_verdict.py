"""The sweep that chose the configuration never saw the text that the configuration is reported on."""

import dataclasses

from hf_llm.benchmarks.verdict import mean_with_interval
from hf_llm.benchmarks.verdict_sweep import RECIPE, base_config, development_part, sweep
from hf_llm.data import Text, read_text
from hf_llm.training.config import PretrainConfig


def rows_of(text: Text) -> dict:
    base = dataclasses.replace(base_config(), max_steps=2, warmup_steps=1, eval_steps=1, n_embd=16, n_layer=1, n_head=1)
    return sweep(text, base, grid={"vocab_size": [300]}, seeds=(0,))


def test_the_last_tenth_has_no_effect_on_the_sweep():
    text = read_text("sample")
    cut = int(len(text.text) * 0.9)
    other = Text(text.name, text.text[:cut] + "?" * (len(text.text) - cut), "another hash")
    first, second = rows_of(text), rows_of(other)
    for row in first["rows"] + second["rows"]:
        row.pop("timings")
    assert first == second


def test_an_earlier_part_has_an_effect():
    text = read_text("sample")
    cut = int(len(text.text) * 0.85)  # inside the part that the sweep judges on
    other = Text(text.name, text.text[:cut] + "?" + text.text[cut + 1 :], "another hash")
    assert rows_of(text)["rows"] != rows_of(other)["rows"]
    assert development_part(text).text == text.text[: int(len(text.text) * 0.9)]


def test_the_recipe_is_the_one_that_make_demo_runs():
    assert RECIPE == "gpt2/verdict"
    assert base_config().corpus == PretrainConfig().corpus == "the-verdict"


def test_the_interval_holds_the_mean():
    result = mean_with_interval([2.40, 2.42, 2.38, 2.41, 2.39])
    low, high = result["interval_95"]
    assert low < result["mean"] == 2.4 < high
