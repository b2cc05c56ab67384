"""What gradient checkpointing does beside recomputing: it keeps no bf16 copies, and no holes in glibc's heap."""

import platform
import subprocess

import pytest
import torch

from hf_llm.benchmarks.peak_memory import RESET_PEAK
from hf_llm.config import child_environment, python
from hf_llm.recipes import pretrain
from hf_llm.training import loop

# in two rounds: glibc maps a size that it has never seen freed. The small tensors live on, and the heap cannot shrink.
HEAP = """
import torch
from hf_llm.benchmarks.peak_memory import start_peak
from hf_llm.training.heap import map_large_tensors
{call}
small = []
before = start_peak()
for _ in range(2):
    large = []
    for _ in range(20):
        large.append(torch.ones(2 * 2**20))
        small.append(torch.ones(2**14))
    del large
print(start_peak() - before)
"""


def held(call: str) -> int:
    """Return the bytes that a process keeps of 160 MiB that it has freed."""
    code = python("-c", HEAP.format(call=call))
    return int(subprocess.run(code, env=child_environment(), check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this is about glibc's heap")
@pytest.mark.skipif(not RESET_PEAK.exists(), reason="only Linux tells what a process holds")
def test_large_tensors_give_their_memory_back():
    assert held("") > 100e6
    assert held("map_large_tensors()") < 20e6


def test_a_checkpointed_training_asks_for_it(make_config, sample_corpus, monkeypatch):
    called = []
    monkeypatch.setattr(loop, "map_large_tensors", lambda: called.append(True))
    for checkpointing in (False, True):
        config = make_config(gradient_checkpointing=checkpointing, max_steps=1)
        task = pretrain.make_task(config, sample_corpus[0], pretrain.model_shape(config, sample_corpus[0]))
        loop.train(task, config)
        assert len(called) == checkpointing
        assert task.model.is_gradient_checkpointing is checkpointing


def test_no_bf16_copy_is_kept_and_the_losses_are_the_same(make_config, sample_corpus):
    """Two micro-batches a step, so that gradients add up over what was cast twice."""
    losses = {}
    for checkpointing in (False, True):
        config = make_config(
            precision="bf16", gradient_checkpointing=checkpointing, max_steps=3, per_device_train_batch_size=4
        )
        task = pretrain.make_task(config, sample_corpus[0], pretrain.model_shape(config, sample_corpus[0]))
        loss, cached = task.loss, []

        def watched(*arguments, loss=loss, cached=cached) -> torch.Tensor:
            cached.append(torch.is_autocast_cache_enabled())
            return loss(*arguments)

        task.loss = watched
        losses[checkpointing] = [record["loss"] for record in loop.train(task, config).records]
        assert cached == [not checkpointing] * 6
    assert losses[True] == losses[False]
