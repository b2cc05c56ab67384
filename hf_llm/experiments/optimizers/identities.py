"""Part of the lab `optimizers`: which rules are the same thing, shown by walking two copies of a net side by side.

Both take the same batches, each with its own rule and its own gradients, in float64. Where two rules are one, the
copies stay together to the last digits; where they are not, they part within a few steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch.nn.utils import parameters_to_vector

from hf_llm.experiments.findings import exact
from hf_llm.experiments.optimizers.tasks import BETAS, ThreeParts
from hf_llm.experiments.parts import Outcome
from hf_llm.experiments.result import Finding, Progress, Table, Words, track
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam, AdamW, Momentum, RMSprop

STEPS = 30
IMAGES = 1_000
TOLERANCE = 1e-6  # of the weights' norm
BETA1, BETA2 = BETAS
EPSILON = 1e-8
DECAY = 0.1


@dataclass(frozen=True)
class Pair:
    """Two rules that may be one. Before step t = 1, 2, … the second one is set to what `settings` gives."""

    kind: str
    one: Words
    other: Words
    make_one: Callable
    make_other: Callable
    settings: Callable[[int], dict] = lambda t: {}


def with_torch(name: str, rule: type, torchs: type, rate: float, **constants) -> Pair:
    """Return the pair of the formula and of torch's class, weight decay included."""
    constants |= {"lr": rate, "weight_decay": DECAY}
    return Pair(
        "torch", Words(pt=f"{name}, da fórmula", en=f"{name}, from its formula"),
        Words(pt=f"{name}, do torch", en=f"{name}, torch's"), partial(rule, **constants), partial(torchs, **constants),
    )  # fmt: skip


def with_both_decays(name: str, rule: type, rate: float) -> Pair:
    """Return the pair of L2 in the loss and of decoupled decay."""
    rule = partial(rule, lr=rate, weight_decay=DECAY)
    return Pair(
        f"decay {name}", Words(pt=f"{name}, L2 na perda", en=f"{name}, L2 in the loss"),
        Words(pt=f"{name}, decaimento desacoplado", en=f"{name}, decoupled decay"), rule, partial(rule, decoupled=True),
    )  # fmt: skip


PAIRS = [
    with_torch("SGD", SGD, torch.optim.SGD, 0.1),
    with_torch("momentum", Momentum, torch.optim.SGD, 0.01, momentum=BETA1),
    with_torch("RMSprop", RMSprop, torch.optim.RMSprop, 1e-3, alpha=BETA2),
    with_torch("Adam", Adam, torch.optim.Adam, 1e-3, betas=BETAS),
    with_torch("AdamW", AdamW, torch.optim.AdamW, 1e-3, betas=BETAS),
    Pair(
        "no first moment",
        Words(pt="Adam sem o primeiro momento", en="Adam without its first moment"),
        Words(pt="RMSprop, com a taxa e o épsilon × √(1 − β₂ᵗ)", en="RMSprop, its rate and epsilon × √(1 − β₂ᵗ)"),
        partial(Adam, lr=1e-3, betas=(None, BETA2), eps=EPSILON),
        partial(RMSprop, lr=1e-3, alpha=BETA2),
        lambda t: {"lr": 1e-3 * (1 - BETA2**t) ** 0.5, "eps": EPSILON * (1 - BETA2**t) ** 0.5},
    ),
    Pair(
        "no second moment",
        Words(pt="Adam sem o segundo momento", en="Adam without its second moment"),
        Words(pt="momentum, com a taxa × (1 − β₁) ÷ (1 − β₁ᵗ)", en="momentum, its rate × (1 − β₁) ÷ (1 − β₁ᵗ)"),
        partial(Adam, lr=0.1, betas=(BETA1, None)),
        partial(Momentum, lr=0.1, momentum=BETA1),
        lambda t: {"lr": 0.1 * (1 - BETA1) / (1 - BETA1**t)},
    ),
    Pair(
        "neither moment",
        Words(pt="Adam sem nenhum dos dois", en="Adam without either"),
        Words(pt="SGD", en="SGD"),
        partial(Adam, lr=0.1, betas=(None, None)),
        partial(SGD, lr=0.1),
    ),
    with_both_decays("SGD", SGD, 0.1),
    with_both_decays("momentum", Momentum, 0.01),
    with_both_decays("Adam", Adam, 1e-3),
]


def walk(pair: Pair, parts: ThreeParts, seed: int) -> float:
    """Return the largest distance between the two copies after any step, as a share of the weights' norm."""
    task = parts.task(IMAGES, seed, parts.choose)  # for its batches
    nets = [parts.task(IMAGES, seed, parts.choose).model.double() for _ in range(2)]
    optimizers = [make(net.parameters()) for make, net in zip((pair.make_one, pair.make_other), nets)]
    largest = 0.0
    for t in range(1, STEPS + 1):
        optimizers[1].param_groups[0].update(pair.settings(t))
        batch = task.batch(t - 1, micro_step=0, rank=0)
        for net, optimizer in zip(nets, optimizers):
            optimizer.zero_grad()
            F.cross_entropy(net(pixel_values=batch["pixel_values"].double()).logits, batch["labels"]).backward()
            optimizer.step()
        one, other = (parameters_to_vector(net.parameters()).detach() for net in nets)
        largest = max(largest, ((one - other).norm() / one.norm()).item())
    return largest


def compare_rules(parts: ThreeParts, seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts of the identities; the seed varies net and batches."""
    rows = []
    for pair in track(PAIRS, progress):
        distance = max(walk(pair, parts, seed) for seed in range(1 if quick else seeds))
        rows.append({"kind": pair.kind, "one": pair.one, "other": pair.other, "distance": distance,
                     "same": distance <= TOLERANCE})  # fmt: skip
    headings = {
        "one": Words(pt="uma", en="one"),
        "other": Words(pt="a outra", en="the other"),
        "distance": Words(pt="maior distância ÷ norma dos pesos", en="largest distance ÷ norm of the weights"),
        "same": Words(pt="a mesma regra?", en="the same rule?"),
    }
    caption = Words(
        pt="Duas regras lado a lado: o quanto os pesos se afastam",
        en="Two rules side by side: how far the weights part",
    )

    def same(kind: str, claim: Words) -> Finding:
        """Return whether all pairs of a kind are the same rule."""
        distance = max(row["distance"] for row in rows if row["kind"] == kind)
        measure = Words(pt="maior distância dos pesos ÷ norma", en="largest distance of the weights ÷ norm")
        return exact((claim, measure), distance, distance <= TOLERANCE)

    findings = [
        same("torch", Words(pt="As cinco regras escritas da fórmula são as do torch.optim, passo a passo.",
                            en="The five rules written from their formulas are torch.optim's, step by step.")),
        same("no first moment", Words(pt="O Adam sem o primeiro momento é o RMSprop, com correção do viés.",
                                      en="Adam without its first moment is RMSprop, with bias correction.")),
        same("no second moment", Words(pt="O Adam sem o segundo momento é o momentum, com correção do viés.",
                                       en="Adam without its second moment is momentum, with bias correction.")),
        same("decay SGD", Words(pt="Para o SGD puro, L2 na perda e decaimento desacoplado são a mesma coisa.",
                                en="For plain SGD, L2 in the loss and decoupled decay are the same thing.")),
        same("decay momentum", Words(
            pt="Para o SGD com momentum, L2 na perda e decaimento desacoplado são a mesma coisa.",
            en="For SGD with momentum, L2 in the loss and decoupled decay are the same thing.")),
        same("decay Adam", Words(
            pt="Para o Adam, L2 na perda e decaimento desacoplado são a mesma coisa.",
            en="For Adam, L2 in the loss and decoupled decay are the same thing.")),
    ]  # fmt: skip
    return findings, {"identities": Table(caption, headings, rows)}, {}
