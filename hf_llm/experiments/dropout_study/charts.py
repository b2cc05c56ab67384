"""The charts of the exercise, drawn from its tables: loss, accuracy, gap and test accuracy, one panel a size."""

from hf_llm.evaluation.charts import label, new_figure, style
from hf_llm.experiments.dropout_study.words import HEADINGS, SIZES
from hf_llm.experiments.result import Chart, Language, Table, Words
from hf_llm.experiments.words import shown

SHOWN = 4  # dropouts in a chart of curves: all of them could not be told apart
STEP = Words(pt="passo", en="step")
LOSS = Words(pt="perda (nats por imagem)", en="loss (nats an image)")
ACCURACY = Words(pt="acurácia", en="accuracy")
TRAINING, VALIDATION = Words(pt="treino", en="training"), Words(pt="validação", en="validation")


def loss_chart(curves: Table, sizes: list[str]) -> Chart:
    caption = Words(
        pt="Perda de treino (tracejada) e de validação (contínua) por passo; a faixa vai da menor à maior semente",
        en="Training loss (dashed) and validation loss (solid) by step; bands from the lowest to the highest seed",
    )
    return Chart(caption, lambda language: _curves(curves, sizes, "loss", LOSS, language))


def accuracy_chart(curves: Table, sizes: list[str]) -> Chart:
    caption = Words(
        pt="Acurácia no treino (tracejada) e na validação (contínua) por passo; a faixa vai da menor à maior semente",
        en="Training accuracy (dashed) and validation accuracy (solid) by step; bands reach from the lowest to the "
        "highest seed",
    )
    return Chart(caption, lambda language: _curves(curves, sizes, "accuracy", ACCURACY, language))


def gap_chart(summary: Table, sizes: list[str]) -> Chart:
    caption = Words(
        pt="Distância entre as perdas de validação e de treino no fim, por dropout, com intervalo de confiança",
        en="Gap between validation and training loss at the end, by dropout, with its confidence interval",
    )
    return Chart(caption, lambda language: _by_dropout(summary, sizes, "gap", LOSS, language))


def test_chart(summary: Table, sizes: list[str]) -> Chart:
    caption = Words(
        pt="Acurácia no teste por dropout, com intervalo de confiança",
        en="Test accuracy by dropout, with its confidence interval",
    )
    return Chart(caption, lambda language: _by_dropout(summary, sizes, "test_accuracy", ACCURACY, language))


def _curves(curves: Table, sizes: list[str], kind: str, quantity: Words, language: Language):
    figure, axes = new_figure(1, len(sizes))
    for axis, size in zip(axes[0], sizes):
        rows = [row for row in curves.rows if row["size"] == SIZES[size]]
        dropouts = sorted({row["dropout"] for row in rows})
        for number, p in enumerate(_spread(dropouts)):
            line = [row for row in rows if row["dropout"] == p]
            steps = [row["step"] for row in line]
            for part, dashes in (("validation", "-"), ("train", "--")):
                name, colour = f"{part}_{kind}", style(number)["color"]
                text = f"p = {shown(p, language)}" if part == "validation" else None
                axis.plot(steps, [row[name] for row in line], dashes, color=colour, lw=1.6, label=text)
                low, high = ([row[f"{name}_{end}"] for row in line] for end in ("low", "high"))
                axis.fill_between(steps, low, high, color=colour, alpha=0.15, lw=0)
        if kind == "loss":
            axis.set_yscale("log")
        label(axis, STEP[language], quantity[language], SIZES[size][language])
    return figure


def _by_dropout(summary: Table, sizes: list[str], name: str, quantity: Words, language: Language):
    figure, axes = new_figure(1, len(sizes))
    for axis, size in zip(axes[0], sizes):
        rows = [row for row in summary.rows if row["size"] == SIZES[size]]
        centre = [row[name] for row in rows]
        around = [[abs(row[name] - row[f"{name}_{end}"]) for row in rows] for end in ("low", "high")]
        axis.errorbar([row["dropout"] for row in rows], centre, around, fmt="o-", capsize=3, ms=4, lw=1.4, **_plain())
        title = f"{HEADINGS[name][language]}, {SIZES[size][language]}"
        label(axis, "dropout p", quantity[language], title, legend=False)
    return figure


def _plain() -> dict:
    return {"color": style(0)["color"]}


def _spread(dropouts: list[float]) -> list[float]:
    """Return at most `SHOWN` of them, the first and the last included."""
    if len(dropouts) <= SHOWN:
        return dropouts
    return [dropouts[round(i * (len(dropouts) - 1) / (SHOWN - 1))] for i in range(SHOWN)]
