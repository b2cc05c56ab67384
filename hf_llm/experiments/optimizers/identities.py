"""Which rules are the same thing, shown by training two copies of a net side by side.

Both take the same batches, each with its own rule and its own gradients, in float64. Where two rules are one, the
copies stay together to the last digits; where they are not, they part within a few steps.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pandas as pd
import torch
import torch.nn.functional as F
from torch.nn.utils import parameters_to_vector

from hf_llm.experiments.frame import Finding, Study, Tables, exact
from hf_llm.experiments.optimizers.tasks import BETAS, ThreeParts
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam, AdamW, Momentum, RMSprop

STEPS = 30
IMAGES = 1_000
TOLERANCE = 1e-6  # of the weights' norm
BETA1, BETA2 = BETAS
EPSILON = 1e-8
DECAY = 0.1


class Pair(NamedTuple):
    """Two rules that may be one. Before step t = 1, 2, … the second one is set to what `settings` gives."""

    make_one: Callable
    make_other: Callable
    settings: Callable[[int], dict] = lambda t: {}


def with_torch(rule: type, torchs: type, rate: float, **constants) -> Pair:
    """Return the pair of the formula and of torch's class, weight decay included."""
    constants |= {"lr": rate, "weight_decay": DECAY}
    return Pair(partial(rule, **constants), partial(torchs, **constants))


def with_both_decays(rule: type, rate: float) -> Pair:
    """Return the pair of L2 in the loss and of decoupled decay."""
    rule = partial(rule, lr=rate, weight_decay=DECAY)
    return Pair(rule, partial(rule, decoupled=True))


PAIRS = {
    "torch_sgd": with_torch(SGD, torch.optim.SGD, 0.1),
    "torch_momentum": with_torch(Momentum, torch.optim.SGD, 0.01, momentum=BETA1),
    "torch_rmsprop": with_torch(RMSprop, torch.optim.RMSprop, 1e-3, alpha=BETA2),
    "torch_adam": with_torch(Adam, torch.optim.Adam, 1e-3, betas=BETAS),
    "torch_adamw": with_torch(AdamW, torch.optim.AdamW, 1e-3, betas=BETAS),
    # Adam without its first moment is RMSprop, whose rate and ε are corrected for the start
    "half_rmsprop": Pair(
        partial(Adam, lr=1e-3, betas=(None, BETA2), eps=EPSILON),
        partial(RMSprop, lr=1e-3, alpha=BETA2),
        lambda t: {"lr": 1e-3 * (1 - BETA2**t) ** 0.5, "eps": EPSILON * (1 - BETA2**t) ** 0.5},
    ),
    # without its second moment it is momentum, whose rate is corrected for the start
    "half_momentum": Pair(
        partial(Adam, lr=0.1, betas=(BETA1, None)),
        partial(Momentum, lr=0.1, momentum=BETA1),
        lambda t: {"lr": 0.1 * (1 - BETA1) / (1 - BETA1**t)},
    ),
    "half_sgd": Pair(partial(Adam, lr=0.1, betas=(None, None)), partial(SGD, lr=0.1)),  # without both it is SGD
    "decay_sgd": with_both_decays(SGD, 0.1),
    "decay_momentum": with_both_decays(Momentum, 0.01),
    "decay_adam": with_both_decays(Adam, 1e-3),
}


def measure(study: Study) -> Tables:
    """Train every pair; the seed varies net and batches."""
    images, seeds = ThreeParts.read(study.data), study.pick(study.seeds[:1], study.seeds)
    cells = study.track([(name, seed) for name in PAIRS for seed in seeds])
    rows = [(name, seed, distance(PAIRS[name], images, seed)) for name, seed in cells]
    return {"identities": pd.DataFrame(rows, columns=["pair", "seed", "distance"])}


def distance(pair: Pair, images: ThreeParts, seed: int) -> float:
    """Return the largest distance between the two copies after any step, as a share of the weights' norm."""
    task = images.task(IMAGES, seed, images.choose)  # for its batches
    nets = [images.task(IMAGES, seed, images.choose).model.double() for _ in range(2)]
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


def findings(tables: Tables) -> list[Finding]:
    """Each an identity: the largest distance over the pairs and seeds."""
    table = tables["identities"]
    claims = {"formulas_are_torchs": "torch_", "adam_is_both": "half_"}  # and how its pairs begin
    claims |= {f"decays_are_one_for_{rule}": f"decay_{rule}" for rule in ("sgd", "momentum", "adam")}
    largest = {key: table[table["pair"].str.startswith(kind)]["distance"].max() for key, kind in claims.items()}
    return [exact(key, distance, TOLERANCE, "below") for key, distance in largest.items()]
