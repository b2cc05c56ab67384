"""The charts of the lab `activations`, drawn from its tables."""

import numpy as np
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import band, label, new_figure, style
from hf_llm.experiments.result import Language, Table, Words

RATE = Words(pt="taxa de aprendizado", en="learning rate")


def draw_functions(table: Table, language: Language) -> Figure:
    """Draw the functions on the left and their derivatives on the right."""
    figure, ((left, right),) = new_figure(columns=2)
    rows = [row for row in table.rows if row["activation"] != "gelu_tanh"]  # on GELU's line to the eye
    for number, row in enumerate(rows):
        left.plot(row["z"], row["values"], lw=1.8, label=row["name"][language], **style(number))
        right.plot(row["z"], row["derivatives"], lw=1.8, label=row["name"][language], **style(number))
    left.set_ylim(-1.2, 3)
    label(left, "z", "f(z)", Words(pt="valor", en="value")[language])
    label(right, "z", "f′(z)", Words(pt="derivada", en="derivative")[language], legend=False)
    return figure


def draw_saturation(normal: Table, network: Table, language: Language) -> Figure:
    """Draw the share of saturated units against the size of the inputs, and by layer for the larger weights."""
    figure, ((left, right),) = new_figure(columns=2)
    share = Words(pt="parte das unidades saturadas", en="share of saturated units")[language]
    deviations = [int(key.removeprefix("saturated_")) for key in normal.headings if key.startswith("saturated_")]
    for number, row in enumerate(normal.rows):
        shares = np.transpose([row["seeds"][f"saturated_{deviation}"] for deviation in deviations])
        band(left, deviations, shares, row["name"][language], number)
    left.set_xscale("log", base=2)
    left.set_xticks(deviations, map(str, deviations))
    largest = max(row["scale"] for row in network.rows)
    for number, row in enumerate([row for row in network.rows if row["scale"] == largest]):
        layers = range(1, len(row["seeds"][0]) + 1)
        band(right, layers, row["seeds"], row["name"][language], number)
    right.set_xticks(layers, map(str, layers))
    for axis in (left, right):
        axis.set_ylim(-0.03, 1.03)
    deviation = Words(pt="desvio-padrão das entradas", en="standard deviation of the inputs")[language]
    label(left, deviation, share, Words(pt="entradas normais", en="normal inputs")[language])
    net = Words(pt="rede não treinada, pesos grandes", en="untrained net, large weights")[language]
    label(right, Words(pt="camada", en="layer")[language], share, net, legend=False)
    return figure


def draw_dead(table: Table, language: Language) -> Figure:
    """Draw dead units and what is left of the accuracy against the learning rate."""
    figure, ((left, right),) = new_figure(columns=2)
    names = list(dict.fromkeys(row["activation"] for row in table.rows))
    for number, name in enumerate(names):
        rows = [row for row in table.rows if row["activation"] == name]
        for axis, key in ((left, "after"), (right, "accuracy_later")):
            rates = np.array([row["rate"] for row in rows]) * 1.03 ** (number - 1.5)  # side by side, not on each other
            middle = np.array([row[key] for row in rows])
            ends = [[abs(m - end(row["seeds"][key])) for m, row in zip(middle, rows)] for end in (min, max)]
            axis.errorbar(
                rates, middle, ends, marker="o", ms=4, capsize=2, lw=1.6, label=rows[0]["name"][language],
                **style(number),
            )  # fmt: skip
    ticks = sorted({row["rate"] for row in table.rows})
    mark = "," if language == "pt-BR" else "."
    for axis in (left, right):
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{tick:g}".replace(".", mark) for tick in ticks])
        axis.minorticks_off()
        axis.set_ylim(-0.03, 1.03)
    after = Words(pt="parte das unidades mortas", en="share of dead units")[language]
    label(left, RATE[language], after, Words(pt="depois do treino", en="after training")[language])
    accuracy = Words(pt="acurácia no treino", en="training accuracy")[language]
    later = Words(pt="depois de continuar com taxa baixa", en="after going on at a gentle rate")[language]
    label(right, RATE[language], accuracy, later, legend=False)
    return figure


def draw_centring(table: Table, language: Language) -> Figure:
    """Draw the loss of each variant at its best rate."""
    figure, ((axis,),) = new_figure(width=6.6, height=4.2)
    for number, row in enumerate([row for row in table.rows if row["best"]]):
        mark = "," if language == "pt-BR" else "."
        rate = f"{row['rate']:g}".replace(".", mark)
        band(axis, row["steps"], row["losses"], f"{row['name'][language]} ({RATE[language]} {rate})", number)
    axis.set_yscale("log")
    label(axis, Words(pt="passo", en="step")[language], Words(pt="perda de treino", en="training loss")[language])
    return figure
