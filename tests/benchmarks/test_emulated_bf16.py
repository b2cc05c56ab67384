"""bf16 products in fp32 are those of bf16: on any processor, eager and compiled, and only while they are asked for."""

from itertools import cycle

import pytest
import torch
from torch import nn

from hf_llm.benchmarks import emulated_bf16
from hf_llm.benchmarks.emulated_bf16 import PRODUCTS, bf16_products_in_fp32
from hf_llm.config.compiler import cpp_compiler

needs_compiler = pytest.mark.skipif(cpp_compiler() is None, reason="there is no C++ compiler, so nothing is compiled")


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).bfloat16()


A, B, BIAS = normal(33, 300), normal(300, 20), normal(20)
MANY_A, MANY_B, MANY_BIAS = normal(3, 8, 200), normal(3, 200, 5), normal(3, 8, 5)
WAYS = {  # name: (the product of tensors of one type, what it multiplies)
    "mm": (torch.mm, (A, B)),
    "linear": (lambda a, b, bias: nn.functional.linear(a, b.t(), bias), (A, B, BIAS)),
    "addmm": (lambda bias, a, b: torch.addmm(bias, a, b, beta=0.5, alpha=2.0), (BIAS, A, B)),
    "bmm": (torch.matmul, (MANY_A, MANY_B)),
    "baddbmm": (lambda bias, a, b: torch.baddbmm(bias, a, b, beta=0.5), (MANY_BIAS, MANY_A, MANY_B)),
    "mm.out": (lambda a, b: torch.mm(a, b, out=torch.empty(33, 20, dtype=a.dtype)), (A, B)),
    "addmm.out": (lambda *of: torch.addmm(*of, out=torch.empty(33, 20, dtype=of[0].dtype)), (BIAS, A, B)),
    "bmm.out": (lambda a, b: torch.bmm(a, b, out=torch.empty(3, 8, 5, dtype=a.dtype)), (MANY_A, MANY_B)),
    "baddbmm.out": (
        lambda *of: torch.baddbmm(*of, out=torch.empty(3, 8, 5, dtype=of[0].dtype)),
        (MANY_BIAS, MANY_A, MANY_B),
    ),
}


@pytest.fixture
def called(monkeypatch):
    """The products that were emulated, by name, while the context lasts."""
    calls, names, rounded_once = [], cycle(PRODUCTS), emulated_bf16._rounded_once

    def counted(original):
        product, name = rounded_once(original), next(names)  # made in this order

        def called(keys, *operands, **given):
            calls.append((name, operands[-1].dtype))
            return product(keys, *operands, **given)

        return called

    monkeypatch.setattr(emulated_bf16, "_rounded_once", counted)
    return calls


@pytest.mark.parametrize("name", WAYS)
def test_a_product_is_rounded_once(name, called):
    multiply, operands = WAYS[name]
    own, exact = multiply(*operands), multiply(*(operand.float() for operand in operands))
    with bf16_products_in_fp32():
        emulated = multiply(*operands)
        assert torch.equal(multiply(*(operand.float() for operand in operands)), exact)  # fp32 stays what it was
    assert torch.equal(emulated, exact.bfloat16())
    # that of the processor or of torch differs by the order of the sum, which moves few of them, and by one rounding
    assert (emulated != own).float().mean() < 0.02
    torch.testing.assert_close(emulated, own, rtol=2**-7, atol=1e-3)
    assert [dtype for _, dtype in called] == [torch.bfloat16, torch.float32]
    assert {of for of, _ in called} == {name.replace("linear", "addmm")}


def test_it_ends_also_after_an_error(called):
    with pytest.raises(RuntimeError, match="shapes"), bf16_products_in_fp32():
        _ = A @ A
    assert len(called) == 1
    _ = A @ B
    assert len(called) == 1


def test_autocast_reaches_it_forward_and_backward(called):
    layer = nn.Linear(300, 20)
    with bf16_products_in_fp32(), torch.autocast("cpu", torch.bfloat16):
        layer(A.float()).float().sum().backward()
    assert [dtype for _, dtype in called] == [torch.bfloat16] * 2  # the inputs want no gradient
    assert layer.weight.grad.dtype == torch.float32


@needs_compiler
@pytest.mark.slow
def test_compiled_code_reaches_it_too(called):
    layer = torch.compile(nn.Sequential(nn.Linear(300, 64), nn.GELU(), nn.Linear(64, 20)))
    with bf16_products_in_fp32(), torch.autocast("cpu", torch.bfloat16):
        layer(A.float()).float().sum().backward()
    assert [dtype for _, dtype in called].count(torch.bfloat16) == 5  # two forward, three backward
