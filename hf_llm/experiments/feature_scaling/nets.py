"""Part of the lab `feature-scaling`: whom raw features hurt in a small net: SGD, Adam, and SGD with batch norm.

Each way of training runs on raw and on standardised features, each at the best rate of a wide grid. How sensitive it
is to the scale is how much worse it ends on the raw ones. All rates and all seeds are trained at once: the nets lie in
one tensor, and a textbook optimizer takes a tensor of rates.
"""

import math
from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from hf_llm.evaluation.charts import label, new_figure, style
from hf_llm.experiments.feature_scaling.real import DATA_SETS, VERSIONS, read_table, standardise
from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.parts import Outcome
from hf_llm.experiments.result import Chart, Finding, Language, Progress, Table, Words, track
from hf_llm.experiments.seed_comparison import bars, with_bounds
from hf_llm.experiments.shared.textbook_optimizers import SGD, Adam

HIDDEN = 16
STEPS = 300
RATES = (-8.0, 1.0)  # powers of ten; half a decade apart
WAYS = {  # name, optimizer, where batch norm stands
    "sgd": (Words(pt="SGD", en="SGD"), SGD, None),
    "adam": (Words(pt="Adam", en="Adam"), partial(Adam, betas=(0.9, 0.99)), None),
    "hidden": (Words(pt="SGD, batch norm na camada oculta", en="SGD, batch norm in the hidden layer"), SGD, "hidden"),
    "input": (Words(pt="SGD, batch norm na entrada", en="SGD, batch norm at the input"), SGD, "input"),
}


def batch_norm(x: Tensor) -> Tensor:
    """Return x (..., n, d) with mean 0 and variance 1 over the n samples (Ioffe and Szegedy 2015, without γ and β)."""
    mean, variance = x.mean(dim=-2, keepdim=True), x.var(dim=-2, keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-5).sqrt()


def predictions(x: Tensor, weights: list[Tensor], place: str | None) -> Tensor:
    """Return what nets of one hidden layer say.

    Args:
        x: Features of each seed, (S, n, d).
        weights: Of each rate and seed: (R, S, d, h), (R, S, 1, h), (R, S, h, 1), (R, S, 1, 1).
        place: Where batch norm stands: "input", "hidden" or None.

    Returns:
        (R, S, n).
    """
    w1, b1, w2, b2 = weights
    x = batch_norm(x) if place == "input" else x
    hidden = x @ w1 + b1  # (R, S, n, h)
    hidden = batch_norm(hidden) if place == "hidden" else hidden
    return (hidden.relu() @ w2 + b2).squeeze(-1)


def new_weights(features: int, seeds: int, rates: int) -> list[Tensor]:
    """Return the weights of a net a seed, the same ones for every rate; PyTorch's customary spread."""
    shapes = [(features, HIDDEN), (1, HIDDEN), (HIDDEN, 1), (1, 1)]
    widths = [features, features, HIDDEN, HIDDEN]
    nets = []
    for seed in range(seeds):
        random = torch.Generator().manual_seed(seed)
        nets.append([
            (2 * torch.rand(shape, generator=random) - 1) / math.sqrt(width) for shape, width in zip(shapes, widths)
        ])  # fmt: skip
    return [torch.stack(tensors).repeat(rates, 1, 1, 1).requires_grad_() for tensors in zip(*nets)]


def final_losses(name: str, version: str, way: str, rates: Tensor, seeds: int, steps: int) -> Tensor:
    """Return the training loss of each rate and seed after `steps` full-batch steps, (R, S); inf where it diverged."""
    tables = [read_table(name, seed) for seed in range(seeds)]
    features = [standardise(x) if version == "standardised" else x for x, _ in tables]
    x, y = (torch.tensor(np.stack(arrays), dtype=torch.float32) for arrays in (features, [y for _, y in tables]))
    _, make, place = WAYS[way]
    weights = new_weights(x.shape[-1], seeds, len(rates))
    optimizer = make(weights, lr=rates[:, None, None, None])
    for _ in range(steps):
        optimizer.zero_grad()
        (predictions(x, weights, place) - y).square().mean(dim=-1).sum().backward()  # a mean for each net, none mixed
        optimizer.step()
    with torch.no_grad():
        return (predictions(x, weights, place) - y).square().mean(dim=-1).nan_to_num(torch.inf)


def scale_in_nets(seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts; the seed draws four fifths of the rows, and the weights."""
    low, high = RATES
    rates = torch.logspace(low, high, round(high - low) * (1 if quick else 2) + 1)
    losses, rows = {}, []
    cells = [(name, way, version) for name in DATA_SETS for way in WAYS for version in VERSIONS]
    for name, way, version in track(cells, progress):
        each = final_losses(name, version, way, rates, seeds, 40 if quick else STEPS)  # (R, S)
        best = int(each.mean(dim=1).argmin())
        losses[name, way, version] = each[best].double().numpy()
        rows.append({
            "name": DATA_SETS[name], "way": WAYS[way][0], "version": VERSIONS[version],
            "rate": rates[best].item(), **with_bounds("loss", losses[name, way, version]),
            "keys": [name, way, version], "losses": losses[name, way, version].tolist(),
        })  # fmt: skip
    headings = {
        "name": Words(pt="dados", en="data"),
        "way": Words(pt="treino", en="training"),
        "version": Words(pt="atributos", en="features"),
        "rate": Words(pt="melhor taxa", en="best rate"),
        "loss": Words(pt="perda de treino no fim", en="training loss at the end"),
        "loss_low": Words(pt="de", en="from"),
        "loss_high": Words(pt="até", en="to"),
    }
    caption = Words(
        pt="Uma rede pequena em dados reais: perda de treino no fim, cada caso na sua melhor taxa, como fração da "
        "variância do alvo",
        en="A small net on real data: training loss at the end, each case at its best rate, as a share of the target's "
        "variance",
    )
    table = Table(caption, headings, rows)
    return _findings(losses), {"nets": table}, {"nets": _chart(table)}


def _findings(losses: dict[tuple[str, str, str], np.ndarray]) -> list[Finding]:
    def mean(way: str, version: str) -> np.ndarray:
        """Return the mean loss over the data sets, (seeds,)."""
        return np.mean([losses[name, way, version] for name in DATA_SETS], axis=0)

    harm = {way: mean(way, "raw") - mean(way, "standardised") for way in WAYS}  # (seeds,)
    powers = {
        way: np.mean([np.log10(losses[d, way, "raw"] / losses[d, way, "standardised"]) for d in DATA_SETS], axis=0)
        for way in WAYS
    }
    difference = Words(pt="perda com brutos − com padronizados", en="loss with raw − with standardised features")

    def less(way: str, claim: Words) -> Finding:
        name = WAYS[way][0]
        measure = Words(pt=f"{difference.pt}: (SGD) − ({name.pt})", en=f"{difference.en}: (SGD) − ({name.en})")
        return over_seeds((claim, measure), harm["sgd"] - harm[way])

    return [
        over_seeds((
            Words(pt="Numa rede, atributos brutos prejudicam o SGD.", en="In a net raw features harm SGD."), difference,
        ), harm["sgd"]),
        over_seeds((
            Words(pt="Com atributos brutos, o Adam termina com perda menor que o SGD.",
                  en="With raw features Adam ends at a lower loss than SGD."),
            Words(pt="perda com brutos: SGD − Adam", en="loss with raw features: SGD − Adam"),
        ), mean("sgd", "raw") - mean("adam", "raw")),
        less("adam", Words(pt="O Adam é menos sensível à escala dos atributos que o SGD.",
                           en="Adam is less sensitive to the scale of the features than SGD.")),
        over_seeds((
            Words(pt="O Adam é menos sensível à escala dos atributos que o SGD também em proporção à perda.",
                  en="Adam is less sensitive to the scale of the features than SGD in proportion to the loss, too."),
            Words(pt="perda com brutos ÷ com padronizados, em potências de dez: SGD − Adam",
                  en="loss with raw ÷ with standardised features, in powers of ten: SGD − Adam"),
        ), powers["sgd"] - powers["adam"]),
        less("hidden", Words(
            pt="Com batch norm na camada oculta, o SGD é menos sensível à escala dos atributos.",
            en="With batch norm in the hidden layer SGD is less sensitive to the scale of the features.")),
        less("input", Words(pt="Com batch norm na entrada, o SGD é menos sensível à escala dos atributos.",
                            en="With batch norm at the input SGD is less sensitive to the scale of the features.")),
        over_seeds((
            Words(pt="Mesmo com Adam, atributos brutos prejudicam.", en="Even with Adam raw features harm."),
            difference,
        ), harm["adam"]),
        over_seeds((
            Words(pt="Mesmo com batch norm na camada oculta, atributos brutos prejudicam o SGD.",
                  en="Even with batch norm in the hidden layer raw features harm SGD."), difference,
        ), harm["hidden"]),
        over_seeds((
            Words(pt="Mesmo com batch norm na entrada, atributos brutos prejudicam o SGD.",
                  en="Even with batch norm at the input raw features harm SGD."), difference,
        ), harm["input"]),
    ]  # fmt: skip


def _chart(table: Table) -> Chart:
    caption = Words(
        pt="Perda de treino no fim, com atributos brutos e padronizados, por forma de treinar: média e intervalo de "
        "confiança. A linha cinza é a perda de quem prevê sempre a média.",
        en="Training loss at the end, with raw and with standardised features, by way of training: mean and confidence "
        "interval. The grey line is the loss of always predicting the mean.",
    )
    loss = Words(pt="perda de treino", en="training loss")

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(1, len(DATA_SETS), width=4)
        for axis, (name, words) in zip(axes[0], DATA_SETS.items()):
            for number, (version, version_name) in enumerate(VERSIONS.items()):
                rows = [row for row in table.rows if row["keys"][0] == name and row["keys"][2] == version]
                places = np.arange(len(rows))[::-1] + 0.12 * (1 - 2 * number)
                axis.errorbar([row["loss"] for row in rows], places, xerr=bars(rows, "loss"), fmt="os"[number], ms=5,
                              capsize=3, color=style(number)["color"], label=version_name[language])  # fmt: skip
            names = [way[0][language].replace(", ", ",\n") for way in WAYS.values()]
            axis.set_yticks(range(len(WAYS))[::-1], names if name == "diabetes" else [""] * len(WAYS))
            axis.axvline(1, color="0.6", lw=1)
            axis.set_xlim(0, None)
            label(axis, loss[language], "", words[language], legend=name == "wine")
        return figure

    return Chart(caption, draw)
