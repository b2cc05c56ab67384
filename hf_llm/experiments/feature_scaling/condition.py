"""Part of the lab `feature-scaling`: the condition number against the steps to converge, where both are known exactly.

A linear regression on ten features that are the same ones in other units: the more the units differ, the larger the
condition number κ of the Hessian, while the prediction to be learnt stays the same. At its best constant rate,
2 / (λmin + λmax), gradient descent takes at most ln(1/ε) / (2 ln((κ+1)/(κ−1))) ≈ κ/4 · ln(1/ε) steps to bring the
excess loss down to the share ε (Nesterov 2004, "Introductory Lectures on Convex Optimization", section 2.1.5).
"""

import math
from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import band, label, new_figure
from hf_llm.evaluation.intervals import mean_interval
from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.optimizers.surfaces import HOLD, TOLERANCE, descend, steps_to_arrive
from hf_llm.experiments.parts import Outcome
from hf_llm.experiments.result import Chart, Finding, Language, Progress, Table, Words, track
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam, Momentum

FEATURES = 10
CONDITIONS = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]
ADAM_STEPS = 600  # at most
FITTED_FROM = 10.0  # below this κ a step or two of rounding would tilt the slope
PROPORTIONAL = (0.9, 1.1)  # slopes of a log-log line that pass for "in proportion"
METHODS = {
    "descent": Words(pt="gradiente descendente", en="gradient descent"),
    "momentum": Words(pt="momentum, melhores constantes", en="momentum, best constants"),
    "adam": Words(pt="Adam", en="Adam"),
    "adam mixed": Words(pt="Adam, atributos misturados", en="Adam, features mixed"),
}


def problem(condition: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return Hessian (d, d) and solution (d,) of a regression on features that differ in their units.

    Orthogonal features with variances from 1 to κ; each contributes a random effect of deviation 1 to the prediction,
    so the weight of a feature in small units is large.
    """
    variances = torch.logspace(0, math.log10(condition), FEATURES, dtype=torch.float64)
    effects = torch.randn(FEATURES, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return variances.diag(), effects / variances.sqrt()


def mixed(hessian: torch.Tensor, solution: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the same problem in features that are random mixtures (a rotation) of the others."""
    random = torch.Generator().manual_seed(1000 + seed)
    rotation, _ = torch.linalg.qr(torch.randn(FEATURES, FEATURES, generator=random, dtype=torch.float64))
    return rotation @ hessian @ rotation.T, rotation @ solution


def bound(condition: float, tolerance: float) -> float:
    """Return the most steps that gradient descent at its best rate can need, from the theory."""
    return math.log(1 / tolerance) / (2 * math.log1p(2 / (condition - 1)))  # (κ+1)/(κ−1) is 1 + 2/(κ−1)


def steps_of(method: str, condition: float, seeds: int, quick: bool) -> np.ndarray:
    """Return the steps to the tolerance, from weights of 0, one a seed."""
    problems = [problem(condition, seed) for seed in range(seeds)]
    if method == "adam mixed":
        problems = [mixed(*pair, seed) for seed, pair in enumerate(problems)]
    hessians, solutions = (torch.stack(tensors) for tensors in zip(*problems))  # (S, d, d), (S, d)

    def excess_loss(w: torch.Tensor) -> torch.Tensor:
        error = w - solutions  # (R, S, d)
        return 0.5 * torch.einsum("rsd,sde,rse->rs", error, hessians, error)

    root = math.sqrt(condition)
    steps = math.ceil(bound(condition, TOLERANCE)) + HOLD
    match method:
        case "descent":
            make, rates = SGD, [2 / (1 + condition)]
        case "momentum":  # Polyak 1964: the best constants for a quadratic
            make = partial(Momentum, momentum=((root - 1) / (root + 1)) ** 2)
            rates = [4 / (root + 1) ** 2]
        case _:  # there is no formula: the best rate of a grid
            make, steps = partial(Adam, betas=(0.9, 0.99)), ADAM_STEPS
            rates = np.logspace(-3, 0, 7 if quick else 19)
    rates = torch.as_tensor(rates, dtype=torch.float64)
    losses, _ = descend(make, excess_loss, torch.zeros_like(solutions), rates, steps)
    arrived = steps_to_arrive(losses).clamp(max=steps)  # (R, S)
    return arrived[arrived.mean(dim=1).argmin()].numpy()


def condition_against_steps(seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts; the seed varies the effects of the features and their mixing."""
    conditions = CONDITIONS[1:5] if quick else CONDITIONS
    steps = {method: [] for method in METHODS}  # a row a condition number, (conditions, seeds)
    for condition, method in track([(c, m) for c in conditions for m in METHODS], progress):
        steps[method].append(steps_of(method, condition, seeds, quick))
    bounds = [bound(condition, TOLERANCE) for condition in conditions]
    rows = [
        {"condition": condition, "bound": bounds[place], **{m: float(steps[m][place].mean()) for m in METHODS},
         "steps": {m: steps[m][place].tolist() for m in METHODS}}
        for place, condition in enumerate(conditions)
    ]  # fmt: skip
    headings = {
        "condition": Words(pt="número de condição κ", en="condition number κ"),
        "bound": Words(pt="limite da teoria", en="the theory's bound"),
        **METHODS,
    }
    caption = Words(
        pt="Passos até a tolerância, por número de condição (média das sementes)",
        en="Steps to the tolerance by condition number (mean over the seeds)",
    )
    table = Table(caption, headings, rows)
    fitted = [place for place, condition in enumerate(conditions) if condition >= FITTED_FROM]
    slopes = {
        method: np.polyfit(np.log(conditions)[fitted], np.log(np.array(steps[method])[fitted]), 1)[0]
        for method in METHODS
    }  # (seeds,)
    worst = float((np.array(steps["descent"]) / np.array(bounds)[:, None]).max())
    return _findings(slopes, worst), {"conditions": table}, {"conditions": _chart(table)}


def _findings(slopes: dict[str, np.ndarray], worst: float) -> list[Finding]:
    interval = mean_interval(slopes["descent"])
    low, high = PROPORTIONAL
    inside, outside = low < interval.low and interval.high < high, interval.high < low or interval.low > high
    exponent = Words(pt="expoente: passos ∝ κ elevado a ele", en="exponent: steps ∝ κ to its power")

    def flatter(method: str, claim: Words) -> Finding:
        measure = Words(
            pt=f"expoente: {METHODS['descent'].pt} − {METHODS[method].pt}",
            en=f"exponent: {METHODS['descent'].en} − {METHODS[method].en}",
        )
        return over_seeds((claim, measure), slopes["descent"] - slopes[method])

    return [
        Finding(
            Words(pt="Os passos do gradiente descendente crescem em proporção ao número de condição.",
                  en="The steps of gradient descent grow in proportion to the condition number."),
            exponent, interval.mean, interval.bounds, "yes" if inside else "no" if outside else "unclear"),
        exact((
            Words(pt="O gradiente descendente nunca precisa de mais passos que o limite da teoria.",
                  en="Gradient descent never needs more steps than the theory's bound."),
            Words(pt="maior razão entre passos medidos e limite", en="largest ratio of measured steps to the bound"),
        ), worst, worst <= 1),
        flatter("momentum", Words(
            pt="O momentum sofre menos com o número de condição que o gradiente descendente.",
            en="Momentum suffers less from the condition number than gradient descent.")),
        flatter("adam", Words(
            pt="O Adam sofre menos com unidades diferentes que o gradiente descendente.",
            en="Adam suffers less from different units than gradient descent.")),
        flatter("adam mixed", Words(
            pt="O Adam sofre menos também quando os atributos são misturas uns dos outros.",
            en="Adam suffers less also where the features are mixtures of one another.")),
    ]  # fmt: skip


def _chart(table: Table) -> Chart:
    caption = Words(
        pt="Passos até a tolerância por número de condição, em escala logarítmica nos dois eixos: média e faixa sobre "
        "as sementes. A linha cinza é o limite da teoria para o gradiente descendente.",
        en="Steps to the tolerance by condition number, logarithmic on both axes: mean and range over the seeds. The "
        "grey line is the theory's bound for gradient descent.",
    )
    bound_name = Words(pt="limite da teoria", en="the theory's bound")

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(width=6, height=4)
        axis = axes[0, 0]
        conditions = [row["condition"] for row in table.rows]
        axis.plot(conditions, [row["bound"] for row in table.rows], color="0.6", lw=3, label=bound_name[language])
        for number, (method, name) in enumerate(METHODS.items()):
            band(axis, conditions, np.array([row["steps"][method] for row in table.rows]).T, name[language], number)
        axis.set(xscale="log", yscale="log")
        label(axis, table.headings["condition"][language], {"pt-BR": "passos", "en": "steps"}[language])
        return figure

    return Chart(caption, draw)
