"""Every bound of the settings, as a person meets it: one sentence."""

import subprocess
import sys

import pytest

from hf_llm.config import UserError, parse
from hf_llm.generation.config import GenerateConfig, GenerationSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_new_tokens", 0),
        ("temperature", 0.0),
        ("temperature", -1.0),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 2.0),
        ("top_p", float("nan")),
        ("repetition_penalty", 0.0),
        ("repetition_penalty", float("inf")),
        ("num_beams", 0),
        ("seed", -1),
        ("seed", 2**63),
        ("stop", ["fine", ""]),
    ],
)
def test_out_of_bounds(name, value):
    with pytest.raises(UserError, match="stop sequence" if name == "stop" else name) as caught:
        GenerationSettings(**{name: value})
    assert "\n" not in str(caught.value)


def test_the_edges_are_allowed():
    GenerationSettings(max_new_tokens=1, temperature=0.001, top_k=0, top_p=1.0, seed=2**63 - 1)


def test_beams_do_not_sample():
    with pytest.raises(UserError, match="do_sample"):
        GenerationSettings(num_beams=2)
    GenerationSettings(num_beams=2, do_sample=False)


def test_flags_and_yaml(tmp_path):
    file = tmp_path / "generate.yaml"
    file.write_text("model: runs/demo\ntemperature: 1\nstop: ['. ']\n")
    config = parse(GenerateConfig, ["--config", str(file), "--no_do_sample", "--prompt", "Once"])
    assert (config.model, config.prompt, config.do_sample, config.stop) == ("runs/demo", "Once", False, [". "])
    with pytest.raises(UserError, match="model"):
        parse(GenerateConfig, ["--prompt", "Once"])


def test_settings_import_nothing_heavy():
    code = "import sys, hf_llm.generation.config, hf_llm.evaluation.config; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
