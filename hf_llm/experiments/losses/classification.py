"""A classification trained with cross-entropy, and with the squared error after a softmax.

Both get the same nets, the same batches, and the same search for a learning rate: the rate that ends with the highest
accuracy on validation images. Two starts: initial weights, and weights that have first learned every label wrong
(digit 3 is "4", 9 is "0"), which are sure of wrong answers.
"""

import copy
from itertools import product

import pandas as pd
import torch
from torch import Tensor, nn

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, means, select
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.losses.formulas import LOSSES
from hf_llm.experiments.shared.toy_data import batches, digits

STARTS = ("initial", "surely_wrong")
HIDDEN, BATCH = 64, 64
# of the first step, in the short and in the full version; for all alike, and fine where trainings begin to break
RATES = (0.3, 1.0), (0.3, 0.5, 1.0, 1.5, 2.0, 3.0)
STEPS, WRONG_STEPS = (60, 300), (150, 600)  # in the short and in the full version, of right and of wrong labels
WRONG_RATE = 0.5
POINTS = 15  # of a curve


def measure(study: Study) -> Tables:
    """Train from both starts with both losses at each rate."""
    nets = {}
    for seed in study.seeds:
        nets["initial", seed], nets["surely_wrong", seed] = new_net(seed), wrong_net(seed, study.pick(*WRONG_STEPS))
    rows = []
    for start, loss, rate, seed in study.track(product(STARTS, LOSSES, study.pick(*RATES), study.seeds)):
        seen = train(copy.deepcopy(nets[start, seed]), loss, rate, seed, study.pick(*STEPS), POINTS)
        rows += [{"start": start, "loss": loss, "rate": rate, "seed": seed, **point} for point in seen]
    starts = [
        {"start": start, "loss": loss, "seed": seed, "gradient": gradient_at_start(net, loss)}
        for (start, seed), net in nets.items() for loss in LOSSES
    ]  # fmt: skip
    return {"digits": pd.DataFrame(rows), "starts": pd.DataFrame(starts)}


def new_net(seed: int) -> nn.Sequential:
    """Return linear, ReLU, linear, with weights that the seed draws."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10)).double()


def wrong_net(seed: int, steps: int) -> nn.Sequential:
    """Return a net that has learned the next digit for each, by cross-entropy."""
    net = new_net(seed)
    train(net, "cross_entropy", WRONG_RATE, seed + 1000, steps, shift=1)
    return net


def train(net: nn.Module, loss: str, rate: float, seed: int, steps: int, points: int = 1, shift: int = 0) -> list[dict]:
    """Train `net` by SGD, in place, and return its accuracies, {"step", "training", "validation", "test"}, on the way.

    The learning rate begins at `rate` and falls to zero in a straight line, so that the last step is no lottery.
    Accuracies are looked at `points` times, evenly spaced, and at the end. `shift` is added to the labels, modulo 10.
    """
    x, labels = digits()["training"]
    labels = (labels + shift) % 10
    optimizer, seen = torch.optim.SGD(net.parameters(), lr=rate), []
    for step, batch in enumerate(batches(len(x), BATCH, steps, seed)):
        if step % max(1, steps // points) == 0:
            seen.append({"step": step, **accuracies(net, shift)})
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        optimizer.zero_grad()
        LOSSES[loss](net(x[batch]), labels[batch]).backward()
        optimizer.step()
    return [*seen, {"step": steps, **accuracies(net, shift)}]


@torch.no_grad()
def accuracies(net: nn.Module, shift: int = 0) -> dict[str, float]:
    """Return the share of right answers on each part of the digits."""
    return {
        part: (net(x).argmax(dim=1) == (labels + shift) % 10).double().mean().item()
        for part, (x, labels) in digits().items()
    }


def gradient_at_start(net: nn.Module, loss: str) -> float:
    """Return the mean norm, over the training images, of the gradient with respect to an image's logits."""
    x, labels = digits()["training"]
    z: Tensor = net(x).detach().requires_grad_()
    (LOSSES[loss](z, labels) * len(x)).backward()
    return z.grad.norm(dim=1).mean().item()


def outcomes(tables: Tables) -> pd.DataFrame:
    """Return one row a training: `early`, its validation accuracy on average, and `validation` and `test` at its end.

    `chosen` says whether validation picks its rate for its start and loss.
    """
    table, cell = tables["digits"], ["start", "loss", "rate", "seed"]
    end = table[table["step"] == table["step"].max()].set_index(cell)
    rows = end[["validation", "test"]].assign(early=table.groupby(cell)["validation"].mean()).reset_index()
    picked = best(rows, "rate", "validation", by=["start", "loss"], largest=True).rename(columns={"rate": "picked"})
    rows = rows.merge(picked, on=["start", "loss"])
    return rows.assign(chosen=rows["rate"] == rows["picked"])


def findings(tables: Tables) -> list[Finding]:
    chosen = outcomes(tables).query("chosen")

    def points(column: str, start: str):
        """Cross-entropy minus squared error, in percentage points, (seeds,)."""
        cross_entropy, squared = (by_seed(chosen, column, start=start, loss=loss) for loss in LOSSES)
        return 100 * (cross_entropy - squared)

    gradient = [by_seed(tables["starts"], "gradient", start="surely_wrong", loss=loss) for loss in LOSSES]
    return [
        above("sends_more_back", gradient[0] / gradient[1], 1.0, "log"),
        *(above(f"{start.removeprefix('surely_')}_{when}", points(column, start))
          for start in STARTS for when, column in (("early", "early"), ("end", "test"))),
    ]  # fmt: skip


def draw(tables: Tables, say: Say) -> Figure:
    """The validation accuracy along training, each loss at its best rate; one panel a start."""
    figure, axes = new_figure(1, 2)
    chosen = outcomes(tables).query("chosen")[["start", "loss", "rate", "seed"]]
    rows = tables["digits"].merge(chosen)
    for axis, start in zip(axes[0], STARTS):
        curves(axis, select(rows, start=start), "step", "validation", "loss", say)
        axis.set_ylim(-0.03, 1.03)
        label(axis, say("figures.race.step"), say("figures.race.accuracy"), say(f"names.{start}"))
    return figure


FIGURES = {"race": draw}
SUMMARIES = {"digits": lambda tables: means(
    outcomes(tables).query("chosen"), ["start", "loss"], ["rate", "early", "validation", "test"])}  # fmt: skip
