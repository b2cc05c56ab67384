"""Part of the lab `optimizers`: L2 in the loss against decoupled decay, on few images, where decay has work to do.

Adam divides each gradient by its usual size. L2 puts λw into the gradient, so what pulls a weight to zero is divided
too; decoupled decay (AdamW) pulls beside the step. Both get the same rate, and each a grid of as many λ, where its
useful values lie.
"""

import numpy as np
import torch
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import band, label, new_figure
from hf_llm.experiments.findings import over_seeds
from hf_llm.experiments.optimizers.tasks import ThreeParts, settings
from hf_llm.experiments.parts import Outcome
from hf_llm.experiments.result import Chart, Language, Progress, Table, Words, track
from hf_llm.experiments.seed_comparison import with_bounds
from hf_llm.training.image_classification import classification_scores
from hf_llm.training.loop import train

IMAGES = 1_000
RATE = 1e-3
METHODS = {"adam": Words(pt="L2 na perda (Adam)", en="L2 in the loss (Adam)"),
           "adamw": Words(pt="decaimento desacoplado (AdamW)", en="decoupled decay (AdamW)")}  # fmt: skip
DECAYS = {"adam": [0.0, 1e-3, 3e-3, 0.01, 0.03, 0.1], "adamw": [0.0, 0.1, 0.3, 1.0, 3.0, 10.0]}


def compare_decays(parts: ThreeParts, seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts of both kinds of decay over a grid of λ."""
    grid = slice(None, None, 3 if quick else 1)
    steps = 60 if quick else 300
    cells = [(method, decay, seed) for method in METHODS for decay in DECAYS[method][grid] for seed in range(seeds)]
    chosen_by, measured, norms = ({(method, decay): [] for method, decay, _ in cells} for _ in range(3))
    for method, decay, seed in track(cells, progress):
        task = parts.task(IMAGES, seed, parts.measure)
        config = settings(RATE, seed, steps, optimizer=method, weight_decay=decay, eval_steps=steps)
        measured[method, decay].append(train(task, config).records[-1]["validation_accuracy"])
        chosen_by[method, decay].append(classification_scores(task.model, parts.choose)["accuracy"])
        matrices = [p.detach().flatten() for p in task.model.parameters() if p.dim() >= 2]
        norms[method, decay].append(torch.cat(matrices).norm().item())

    rows = [
        {
            "key": method, "method": METHODS[method], "decay": decay, **with_bounds("accuracy", accuracies),
            "norm": float(np.mean(norms[method, decay])),
            "chosen": decay == max(DECAYS[method][grid], key=lambda other: np.mean(chosen_by[method, other])),
            "accuracies": accuracies, "norms": norms[method, decay],
        }
        for (method, decay), accuracies in measured.items()
    ]  # fmt: skip
    headings = {
        "method": Words(pt="como", en="how"),
        "decay": Words(pt="λ", en="λ"),
        "accuracy": Words(pt="acurácia", en="accuracy"),
        "accuracy_low": Words(pt="de", en="from"),
        "accuracy_high": Words(pt="até", en="to"),
        "norm": Words(pt="norma dos pesos", en="norm of the weights"),
        "chosen": Words(pt="escolhido?", en="chosen?"),
    }
    caption = Words(
        pt="Treino com poucas imagens: acurácia em imagens reservadas e norma das matrizes, por λ",
        en="Training on few images: accuracy on held-out images and norm of the matrices, by λ",
    )
    table = Table(caption, headings, rows)
    best = {row["key"]: np.array(row["accuracies"]) for row in rows if row["chosen"]}
    none = np.array(measured["adamw", 0.0])
    findings = [
        over_seeds((
            Words(pt="Com Adam e poucas imagens, o melhor decaimento desacoplado dá acurácia maior que o melhor L2.",
                  en="With Adam and few images the best decoupled decay gives a higher accuracy than the best L2."),
            Words(pt="diferença de acurácia: desacoplado − L2", en="difference in accuracy: decoupled − L2"),
        ), best["adamw"] - best["adam"]),
        over_seeds((
            Words(pt="Com Adam e poucas imagens, o melhor decaimento desacoplado dá acurácia maior que nenhum.",
                  en="With Adam and few images the best decoupled decay gives a higher accuracy than none."),
            Words(pt="diferença de acurácia: desacoplado − nenhum", en="difference in accuracy: decoupled − none"),
        ), best["adamw"] - none),
        over_seeds((
            Words(pt="Com Adam e poucas imagens, o melhor L2 na perda dá acurácia maior que nenhum.",
                  en="With Adam and few images the best L2 in the loss gives a higher accuracy than none."),
            Words(pt="diferença de acurácia: L2 − nenhum", en="difference in accuracy: L2 − none"),
        ), best["adam"] - none),
    ]  # fmt: skip
    return findings, {"decays": table}, {"decays": _chart(table)}


def _chart(table: Table) -> Chart:
    caption = Words(
        pt="Acurácia e norma dos pesos por λ, para as duas formas de decaimento: média e faixa sobre as sementes. A "
        "linha cinza é o treino sem decaimento.",
        en="Accuracy and norm of the weights by λ, for both kinds of decay: mean and range over the seeds. The grey "
        "line is training without decay.",
    )
    none = Words(pt="sem decaimento", en="without decay")

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(1, 2)
        for axis, figures in zip(axes[0], ("accuracies", "norms")):
            for number, (method, name) in enumerate(METHODS.items()):
                without, *rows = [row for row in table.rows if row["key"] == method]
                values = np.array([row[figures] for row in rows]).T  # (seeds, λ)
                band(axis, [row["decay"] for row in rows], values, name[language], number)
            axis.axhline(np.mean(without[figures]), color="0.5", lw=1, label=none[language])
            axis.set_xscale("log")
        accuracy, norm = {
            "pt-BR": ("acurácia em imagens reservadas", "norma dos pesos"),
            "en": ("accuracy on held-out images", "norm of the weights"),
        }[language]
        label(axes[0, 0], "λ", accuracy)
        label(axes[0, 1], "λ", norm, legend=False)
        return figure

    return Chart(caption, draw)
