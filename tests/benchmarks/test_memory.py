"""The benchmark of memory on a tiny model: each contestant trains on the same windows, and one that fails is listed."""

import pytest

from hf_llm.benchmarks import memory
from hf_llm.benchmarks.peak_memory import RESET_PEAK

TINY = {
    **memory.WORK, "corpus": "sample", "tokenizer": None, "vocab_size": 300, "model": "nano", "n_positions": 32,
    "max_steps": 4,
}  # fmt: skip


def test_all_contestants_begin_with_the_same_model_on_the_same_window():
    outcomes = [memory.ours(preset, TINY) for preset in memory.PRESETS.values()]
    outcomes += [memory.trainer(optim, TINY) for optim in memory.TRAINERS.values()]
    for losses, seconds in outcomes:
        assert len(losses) == 4
        assert len(seconds) == 2  # between the ends of three steps
        assert losses[0] == pytest.approx(outcomes[0][0][0], abs=1e-3)
    assert len({losses[-1] for losses, _ in outcomes}) == 4  # each its own rule


@pytest.mark.skipif(not RESET_PEAK.exists(), reason="only Linux tells the peak of a process")
def test_a_process_of_its_own_is_measured_and_one_that_fails_is_listed_with_its_error():
    row = memory.contestant("ours, gpt2/large-adafactor", TINY)
    assert 10e6 < row["peak_bytes"] < 500e6
    assert "a step" in memory.describe(row)
    failed = memory.contestant("ours, gpt2/large", {**TINY, "n_embd": 7})
    assert "peak_bytes" not in failed
    assert "does not divide" in failed["error"]
    assert "failed: " in memory.describe(failed)
