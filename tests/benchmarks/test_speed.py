"""The contests of speed: who takes part, and what is made of their times, which no test judges."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from PIL import Image

from hf_llm.benchmarks import generation, nanogpt, precision, training_speed
from hf_llm.benchmarks.exports.shapes import Shape, source_of
from hf_llm.benchmarks.figure import draw_speeds
from hf_llm.benchmarks.record import ratios, speeds
from hf_llm.data import read_text
from hf_llm.planning.matmul_probe import Speed
from hf_llm.recipes.pretrain import make_task, read_inputs
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
    monkeypatch.setattr(training_speed, "machine_speed", lambda *_: Speed(1e11, 1e9, 1e10, 1e-6))
    config = make_config(max_steps=3 + training_speed.UNTIMED, eval_tokens=64)
    compiled = ("ours fp32, compiled", "Trainer fp32, compiled", "Trainer fp32, compiled, eager")
    found = training_speed.contest(config, "fp32", without=compiled)
    names = {"ours fp32", "Trainer, its default", "bare loop, fp32"}
    assert found["timings"].keys() == found["share_of_peak"].keys() == found["first_step_seconds"].keys() == names
    assert found["ours_over_theirs"]["ours fp32"].keys() == names - {"ours fp32"}


@pytest.mark.parametrize(("slow", "works"), [(None, 4), ("bf16 is slow on this processor", 2)])
def test_without_bf16_nobody_takes_it(monkeypatch, tmp_path, slow, works):
    contests = []

    def contest(config, precision, without=()):
        contests.append(precision)
        return {"timings": speeds({name: [1.0] for name in training_speed.ours_of(precision)}, 8)}

    monkeypatch.setattr(training_speed, "bf16_is_slow", lambda device_type: slow)
    monkeypatch.setattr(training_speed, "contest", contest)
    training_speed.run(tmp_path)
    fastest = "fp32" if slow else "bf16"
    assert contests == [fastest] * works
    ways = [training_speed.ours_of, training_speed.trainers_of, training_speed.nanogpts_of]
    taken = {name: settings for way in ways for name, settings in way(fastest).items()}
    assert any("bf16" in f"{name} {settings}" for name, settings in taken.items()) is not bool(slow)
    assert [list(way("fp32").values()).count({}) for way in ways] == [0, 1, 0]  # nothing takes part twice


@pytest.mark.parametrize("slow", [None, "bf16 is slow on this processor"])
def test_the_loss_of_each_way_is_compared_with_that_of_fp32(monkeypatch, tmp_path, slow):
    """Where bf16 is slow its products are emulated, while such a run lasts."""
    trained, emulating = [], []

    @contextmanager
    def emulation():
        emulating.append(True)
        yield
        emulating.clear()

    def pretrain(config):
        trained.append((config.precision, config.compile))
        assert emulating == [True] * (slow is not None and config.precision == "bf16")
        return {"metrics": {"validation_last": {"loss": 2.02 if config.compile else 2.0}}}

    monkeypatch.setattr(precision, "ProcessPoolExecutor", lambda *_: ThreadPoolExecutor(1))
    monkeypatch.setattr(precision, "bf16_is_slow", lambda device_type: slow)
    monkeypatch.setattr(precision, "bf16_products_in_fp32", emulation)
    monkeypatch.setattr(precision, "pretrain", pretrain)
    precision.run(tmp_path)
    assert Counter(trained) == dict.fromkeys([("fp32", False), ("bf16", False), ("bf16", True)], 6)
    found = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert found["emulated_bf16"] is (slow is not None)
    for name in ("verdict", "shakespeare"):
        assert found[name]["change_percent"]["bf16, compiled"] == {"mean": 1.0, "by_seed": [1.0] * 3}
        assert "fp32" not in found[name]["change_percent"]


NANOGPT = """
from dataclasses import dataclass
import torch

@dataclass
class GPTConfig:
    block_size: int
    vocab_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float

class GPT(torch.nn.Module):  # of the same interface, and as small as can be
    def __init__(self, config):
        super().__init__()
        print("number of parameters")
        assert config == GPTConfig(32, 300, 1, 2, 16, 0.0), config
        self.wte = torch.nn.Embedding(config.vocab_size, config.vocab_size)

    def configure_optimizers(self, weight_decay, learning_rate, betas, device_type):
        assert device_type == "cpu"
        return torch.optim.AdamW(self.parameters(), learning_rate, betas, weight_decay=weight_decay)

    def forward(self, idx, targets):
        logits = self.wte(idx)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        seen.append((idx, targets, self.wte.weight[0, 0].item()))
        return logits, loss

seen = []
"""


def test_nanogpt_trains_on_our_batches_where_a_checkout_is_named(make_config, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv(nanogpt.CHECKOUT, raising=False)
    assert nanogpt.checkout() is None
    monkeypatch.setenv(nanogpt.CHECKOUT, str(tmp_path))
    assert nanogpt.checkout() is None
    (tmp_path / "model.py").write_text(NANOGPT, encoding="utf-8")
    modules, imported = [], nanogpt._imported
    monkeypatch.setattr(nanogpt, "_imported", lambda path: modules.append(imported(path)) or modules[-1])
    config = make_config(max_steps=5, n_layer=1, n_head=2, n_embd=16, n_positions=32, vocab_size=300, dropout=0.0)
    task = make_task(config, *read_inputs(config))
    ends = nanogpt.run_nanogpt(task, config)
    assert ends == sorted(ends)
    assert len(ends) == 5
    (module,) = modules
    for step, (idx, targets, _) in enumerate(module.seen):
        batch = task.batch(step, 0, 0)
        assert idx.equal(batch["input_ids"])
        assert targets.equal(batch["shift_labels"])
    assert len({weight for *_, weight in module.seen}) == 5  # each step moved it
    assert "parameters" not in capsys.readouterr().out
