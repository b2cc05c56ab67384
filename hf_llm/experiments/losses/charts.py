"""The charts of the lab `losses`, drawn from its tables."""

import numpy as np
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import COLOURS, band, label, new_figure, style
from hf_llm.experiments.losses.words import LOSS_NAMES
from hf_llm.experiments.result import Language, Table, Words
from hf_llm.experiments.words import shown

RATE = Words(pt="taxa", en="rate")


def draw_gradients(table: Table, language: Language) -> Figure:
    """Draw the size of both gradients against the logit."""
    figure, ((axis,),) = new_figure(width=6.6, height=4.0)
    logits = [row["logit"] for row in table.rows]
    for number, loss in enumerate(("cross_entropy", "squared")):
        sizes = [abs(row[loss]) for row in table.rows]
        axis.plot(logits, sizes, lw=1.8, label=LOSS_NAMES[loss][language], **style(number))
    logit = Words(
        pt="logit  (← erra com certeza · acerta com certeza →)", en="logit  (← surely wrong · surely right →)"
    )
    label(axis, logit[language], Words(pt="tamanho do gradiente", en="size of the gradient")[language])
    return figure


def draw_race(table: Table, language: Language) -> Figure:
    """Draw the validation accuracy along training, one panel a start."""
    names = list(dict.fromkeys(row["start"] for row in table.rows))
    figure, (axes,) = new_figure(columns=len(names))
    for axis, start in zip(axes, names):
        rows = [row for row in table.rows if row["start"] == start and row["best"]]
        for number, row in enumerate(rows):
            text = f"{row['loss_name'][language]} ({RATE[language]} {shown(row['rate'], language)})"
            band(axis, row["steps"], row["seeds"]["curves"], text, number)
        axis.set_ylim(-0.03, 1.03)
        accuracy = Words(pt="acurácia na validação", en="validation accuracy")[language]
        label(axis, Words(pt="passo", en="step")[language], accuracy, rows[0]["start_name"][language])
    return figure


def draw_regression(table: Table, language: Language) -> Figure:
    """Draw the test error of each method, one panel a data set."""
    names = list(dict.fromkeys(row["dataset"] for row in table.rows))
    figure, (axes,) = new_figure(columns=len(names), width=5.2)
    for axis, dataset in zip(axes, names):
        rows = [row for row in table.rows if row["dataset"] == dataset]
        places = np.arange(len(rows))[::-1]  # the first one on top
        for place, row in zip(places, rows):
            axis.plot(row["seeds"], [place] * len(row["seeds"]), "|", color="0.5", ms=11)
        axis.plot([row["test"] for row in rows], places, "o", color=COLOURS[0])
        axis.set_yticks(places, [row["method_name"][language] for row in rows])
        error = Words(pt="erro no teste (desvios-padrão do alvo)", en="test error (deviations of the target)")
        label(axis, error[language], "", rows[0]["dataset_name"][language], legend=False)
    return figure


def draw_calibration(table: Table, language: Language) -> Figure:
    """Draw, for each loss, the share of right answers against the confidence, bin by bin."""
    figure, ((axis,),) = new_figure(width=5.2, height=4.4)
    axis.plot([0.5, 1], [0.5, 1], color="0.5", lw=1)
    for number, (row, marker) in enumerate(zip(table.rows, "osD")):
        confidence, accuracies = ([x for one in row["seeds"] for x in one[key]] for key in ("confidence", "accuracies"))
        axis.plot(
            confidence, accuracies, marker, ms=5, mfc="none", color=COLOURS[number], label=row["loss_name"][language]
        )
    confidence = Words(pt="probabilidade dada à resposta", en="probability given to the answer")
    label(axis, confidence[language], Words(pt="parte de acertos", en="share of right answers")[language])
    return figure
