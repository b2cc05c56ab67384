"""Part of the lab `optimizers`: the rules raced on surfaces of two weights, where one can watch them walk.

Three surfaces, each with its lowest point at 0: a narrow valley along an axis, the same valley turned by 45 degrees,
and Rosenbrock's bent valley (1960). Every rule gets the rate of a fine grid that suits it best, so that none loses for
a rate that somebody else chose.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import band, label, new_figure, style
from hf_llm.evaluation.intervals import mean_interval
from hf_llm.experiments.findings import exact
from hf_llm.experiments.parts import Outcome, rounded
from hf_llm.experiments.result import Chart, Finding, Language, Progress, Table, Words, track, verdict
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam, Momentum, RMSprop

RULES = {"SGD": SGD, "momentum": Momentum, "RMSprop": RMSprop, "Adam": partial(Adam, betas=(0.9, 0.99))}
CURVATURE = 100.0  # of the valley's walls; along its floor it is 1, so the condition number is 100
TOLERANCE = 1e-4  # of the loss at the start
HOLD = 20  # steps in a row that the loss must stay below the tolerance: crossing it by chance does not count
SHOWN = 80  # places of a path and points of a curve that are kept for the chart


@dataclass(frozen=True)
class Surface:
    """A loss of two weights, and where the chart looks."""

    name: Words
    loss: Callable[[torch.Tensor], torch.Tensor]  # (..., 2) to (...)
    start: Callable[[np.random.Generator], list[float]]
    steps: int
    window: tuple[float, float, float, float]  # left, right, bottom, top
    stride: int = 1  # of the steps that are drawn


def turned(w: torch.Tensor, angle: float) -> torch.Tensor:
    """Return points (..., 2) turned about 0 by `angle`."""
    x, y = w[..., 0], w[..., 1]
    return torch.stack([math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y], dim=-1)


def valley(w: torch.Tensor) -> torch.Tensor:
    """½ (x² + 100 y²): steep across, nearly flat along."""
    return 0.5 * (w[..., 0] ** 2 + CURVATURE * w[..., 1] ** 2)


def rosenbrock(w: torch.Tensor) -> torch.Tensor:
    """(1 − x)² + 100 (y − x²)²: a valley that bends; the lowest point is (1, 1)."""
    x, y = w[..., 0], w[..., 1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def valley_start(random: np.random.Generator) -> list[float]:
    return [-random.uniform(1, 2), random.uniform(0.3, 0.7)]


def turned_valley_start(random: np.random.Generator) -> list[float]:
    return turned(torch.tensor(valley_start(random), dtype=torch.float64), math.pi / 4).tolist()


SURFACES = {
    "valley": Surface(
        Words(pt="vale ao longo de um eixo", en="valley along an axis"), valley, valley_start,
        1_000, (-2.1, 0.6, -0.9, 0.9)),
    "turned": Surface(
        Words(pt="o mesmo vale, girado", en="the same valley, turned"), lambda w: valley(turned(w, -math.pi / 4)),
        turned_valley_start, 1_000, (-2.1, 0.6, -1.8, 0.9)),
    "rosenbrock": Surface(
        Words(pt="vale curvo de Rosenbrock", en="Rosenbrock's bent valley"), rosenbrock,
        lambda random: [random.uniform(-1.4, -1.0), random.uniform(0.8, 1.2)], 8_000, (-1.6, 1.3, -0.6, 1.8), 10),
}  # fmt: skip


def descend(make: Callable, loss: Callable, starts: torch.Tensor, rates: torch.Tensor, steps: int):
    """Walk from every start at every rate, all at once: the rules work element by element.

    Args:
        make: Makes an optimizer of parameters and `lr`.
        loss: (..., 2) to (...).
        starts: (S, 2).
        rates: (R,).
        steps: How many, T.

    Returns:
        Losses (T + 1, R, S) and places (T + 1, R, S, 2), before the first step and after each.
    """
    w = starts.repeat(len(rates), 1, 1).requires_grad_()  # (R, S, 2)
    optimizer = make([w], lr=rates[:, None, None])
    losses, places = [], []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        values = loss(w)  # (R, S)
        losses.append(values.detach())
        places.append(w.detach().clone())
        values.sum().backward()  # no run touches another's gradient
        optimizer.step()
    return torch.stack(losses), torch.stack(places)


def steps_to_arrive(losses: torch.Tensor) -> torch.Tensor:
    """Return after how many steps each run is below the tolerance for `HOLD` steps, inf where it never is.

    Args:
        losses: (T + 1, ...).
    """
    below = (losses <= TOLERANCE * losses[0]).to(torch.float64)  # 0 for NaN, too
    held = below.unfold(0, HOLD, 1).amin(dim=-1)  # (T + 2 - HOLD, ...), 1 where HOLD steps in a row begin
    return torch.where(held.any(dim=0), held.argmax(dim=0).double(), torch.inf)


def walked(losses: torch.Tensor) -> torch.Tensor:
    """Return which runs never rose above their start; the others have jumped out of the landscape.

    RMSprop at a rate of 10 does so, learns the curvature from the jump, and then needs four steps. Nobody could rely
    on that.
    """
    return (losses <= losses[0]).all(dim=0)


def race_on_surfaces(seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts of the race; the seed varies where a walk begins."""
    rates = torch.logspace(-4, 0, 9 if quick else 33, dtype=torch.float64)
    rows, arrivals = [], {}
    for key, name in track([(key, name) for key in SURFACES for name in RULES], progress):
        surface = SURFACES[key]
        starts = [surface.start(np.random.default_rng(seed)) for seed in range(seeds)]
        starts = torch.tensor(starts, dtype=torch.float64)
        steps = min(surface.steps, 600) if quick else surface.steps
        losses, places = descend(RULES[name], surface.loss, starts, rates, steps)
        arrived = steps_to_arrive(losses).where(walked(losses), torch.inf)  # (R, S)
        censored = arrived.clamp(max=steps)
        best = int(censored.mean(dim=1).argmin())
        arrivals[key, name] = censored[best].numpy()
        curve = torch.linspace(0, float(censored[best].max()), SHOWN).long().unique()
        rows.append({
            "surface": surface.name, "optimizer": name, "rate": rates[best].item(),
            "steps": censored[best].mean().item(), "arrived": int(arrived[best].isfinite().sum()),
            "key": key, "steps_each": censored[best].tolist(), "curve_steps": curve.tolist(),
            "curves": rounded(losses[curve, best].T),
            "path": rounded(places[:: surface.stride, best, 0][:SHOWN]),
        })  # fmt: skip
    headings = {
        "surface": Words(pt="superfície", en="surface"),
        "optimizer": Words(pt="otimizador", en="optimizer"),
        "rate": Words(pt="melhor taxa", en="best rate"),
        "steps": Words(pt="passos (média)", en="steps (mean)"),
        "arrived": Words(pt="partidas que chegaram", en="starts that arrived"),
    }
    caption = Words(
        pt="Passos até o fundo, cada regra na sua melhor taxa", en="Steps to the bottom, each rule at its best rate"
    )
    table = Table(caption, headings, rows)
    return _findings(arrivals), {"surfaces": table}, {"surfaces": _chart(table)}


def _findings(arrivals: dict) -> list[Finding]:
    """Return what the arrivals {(surface, rule): steps (S,)} say; starts are paired."""

    def ratio(slower: tuple[str, str], faster: tuple[str, str], claim: Words) -> Finding:
        """Return whether the one takes more steps than the other: geometric mean of the ratio, start by start."""
        interval = mean_interval(np.log(arrivals[slower] / arrivals[faster]))
        low, middle, high = map(math.exp, (interval.low, interval.mean, interval.high))
        measure = Words(pt=f"passos: {slower[1]} ÷ {faster[1]}", en=f"steps: {slower[1]} ÷ {faster[1]}")
        if slower[1] == faster[1]:
            one, other = SURFACES[slower[0]].name, SURFACES[faster[0]].name
            measure = Words(pt=f"passos: {one.pt} ÷ {other.pt}", en=f"steps: {one.en} ÷ {other.en}")
        return Finding(claim, measure, middle, (low, high), verdict((low, high), 1.0))

    turning = [np.abs(arrivals["turned", rule] - arrivals["valley", rule]).max() for rule in ("SGD", "momentum")]
    return [
        ratio(("valley", "SGD"), ("valley", "momentum"), Words(
            pt="Num vale estreito, o momentum chega em menos passos que o SGD puro, cada um na sua melhor taxa.",
            en="In a narrow valley momentum arrives in fewer steps than plain SGD, each at its best rate.")),
        ratio(("rosenbrock", "SGD"), ("rosenbrock", "momentum"), Words(
            pt="No vale curvo de Rosenbrock, o momentum chega em menos passos que o SGD puro.",
            en="In Rosenbrock's bent valley momentum arrives in fewer steps than plain SGD.")),
        ratio(("valley", "momentum"), ("valley", "Adam"), Words(
            pt="No vale ao longo de um eixo, o Adam chega em menos passos que o momentum.",
            en="In the valley along an axis Adam arrives in fewer steps than momentum.")),
        ratio(("rosenbrock", "momentum"), ("rosenbrock", "Adam"), Words(
            pt="No vale curvo de Rosenbrock, o Adam chega em menos passos que o momentum.",
            en="In Rosenbrock's bent valley Adam arrives in fewer steps than momentum.")),
        ratio(("turned", "RMSprop"), ("valley", "RMSprop"), Words(
            pt="O RMSprop depende dos eixos: no mesmo vale, girado, precisa de mais passos.",
            en="RMSprop depends on the axes: in the same valley, turned, it needs more steps.")),
        ratio(("turned", "Adam"), ("valley", "Adam"), Words(
            pt="O Adam depende dos eixos: no mesmo vale, girado, precisa de mais passos.",
            en="Adam depends on the axes: in the same valley, turned, it needs more steps.")),
        exact((
            Words(pt="O SGD e o momentum não dependem dos eixos: girar o vale não muda nem um passo.",
                  en="SGD and momentum do not depend on the axes: turning the valley does not change a single step."),
            Words(pt="maior diferença de passos entre as partidas", en="largest difference in steps over the starts"),
        ), max(turning), max(turning) == 0),
    ]  # fmt: skip


def _chart(table: Table) -> Chart:
    caption = Words(
        pt="Em cima, o começo do caminho de cada regra a partir da mesma partida, sobre as curvas de nível; a estrela "
        "é o fundo. Embaixo, a perda ao longo dos passos: média e faixa sobre as partidas.",
        en="Above, the beginning of each rule's path from the same start, over the contour lines; the star is the "
        "bottom. Below, the loss along the steps: mean and range over the starts.",
    )

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(2, len(SURFACES), width=4.2, height=3.4)
        for column, (key, surface) in enumerate(SURFACES.items()):
            top, bottom = axes[:, column]
            left, right, low, high = surface.window
            x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(low, high, 120))
            z = surface.loss(torch.from_numpy(np.stack([x, y], axis=-1))).numpy()
            top.contour(x, y, z, levels=np.geomspace(0.03, z.max(), 12), colors="0.75", linewidths=0.7)
            top.plot(*([1, 1] if key == "rosenbrock" else [0, 0]), "k*", ms=9, zorder=5)
            for number, row in enumerate([row for row in table.rows if row["key"] == key]):
                path = np.array(row["path"])
                top.plot(path[:, 0], path[:, 1], marker=".", ms=3, lw=1.2, label=row["optimizer"], **style(number))
                band(bottom, row["curve_steps"], row["curves"], row["optimizer"], number)
            top.set(xlim=(left, right), ylim=(low, high))
            bottom.set(xscale="symlog", yscale="log", xlim=(0, None), ylim=(1e-5, None))
            label(top, "w₁", "w₂", surface.name[language], legend=False)
            step, loss = {"pt-BR": ("passo", "perda"), "en": ("step", "loss")}[language]
            label(bottom, step, loss, legend=column == 0)
        return figure

    return Chart(caption, draw)
