"""Freed memory is kept where there is enough of it, and only there."""

import platform
import subprocess
from types import SimpleNamespace

import pytest
from torch import nn

from hf_llm.config import child_environment, python
from hf_llm.training import heap
from hf_llm.training.heap import keep_freed_memory

# ten steps that need three tensors of some 40 MB: how many pages the kernel gives for them
PROGRAM = """
import resource, sys, torch
from torch import nn
from hf_llm.training.heap import keep_freed_memory

def step():
    kept = [torch.ones(size) for size in (9_000_000, 10_000_000, 11_000_000)]

if sys.argv[1] == "keep":
    assert keep_freed_memory(nn.Linear(2, 2))
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_a_step_takes_the_memory_of_the_one_before():
    pages = {}
    for way in ("keep", "give back"):
        done = subprocess.run(
            python("-c", PROGRAM, way), env=child_environment(), capture_output=True, text=True, check=True
        )
        pages[way] = int(done.stdout)
    assert pages["keep"] < pages["give back"] / 4  # a tenth of them where this was measured


def test_each_of_several_processes_takes_its_part_of_the_free_memory(monkeypatch):
    monkeypatch.setattr(heap, "_mallopt", lambda *_: True)
    monkeypatch.setattr(heap.psutil, "virtual_memory", lambda: SimpleNamespace(available=4_000_000))
    assert keep_freed_memory(nn.Linear(200, 200))  # 160 kB, four times that while training, four times that for holes
    monkeypatch.setattr(heap, "local_processes", lambda: 2)
    assert not keep_freed_memory(nn.Linear(200, 200))


def test_nothing_is_changed_where_memory_is_short(monkeypatch):
    asked = []
    monkeypatch.setattr(heap.psutil, "virtual_memory", lambda: SimpleNamespace(available=10**6))
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: asked.append(name))
    assert not keep_freed_memory(nn.Linear(200, 200))  # 160 kB, four times that while training, and as much for holes
    assert not asked


def test_another_c_library_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(heap.platform, "libc_ver", lambda: ("musl", "1.2"))
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: pytest.fail("musl has no mallopt"))
    assert not keep_freed_memory(nn.Linear(2, 2))
