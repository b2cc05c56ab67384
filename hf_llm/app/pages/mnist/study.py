"""The exercise's committed result as curves: what dropout does to loss and accuracy, on few and on all images."""

from statistics import mean

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.pages.experiment.views import answer
from hf_llm.app.server.results import SavedResult
from hf_llm.app.views import code, figure_data
from hf_llm.texts import Language, text

SIZES = ("few", "all")
CURVES = ("loss", "accuracy")


def draw(result: SavedResult, size: str, curve: str, lang: Language) -> str:
    """Return the study's answer, its curves for a size of the training set, and the test accuracy by dropout.

    Args:
        result: Of the experiment `dropout-study`.
        size: One of `SIZES`.
        curve: One of `CURVES`.
        lang: The reader's.
    """
    points = _means(result.rows("curves"), size, ("dropout", "step"))
    tests = _means(result.rows("test"), size, ("dropout",))
    images = round(tests[0]["images"])
    lines = [
        Line(
            text(f"mnist.line.{part}", lang, p=p),
            [(row["step"], row[f"{part}_{curve}"]) for row in points if row["dropout"] == p], colour, part == "train",
        )
        for colour, p in enumerate(row["dropout"] for row in tests) for part in ("validation", "train")
    ]  # fmt: skip
    title = text(f"mnist.study.{curve}", lang, images=images)
    test_title = text("mnist.study.test", lang, images=images)
    accuracies = [(row["dropout"], row["test_accuracy"]) for row in tests]
    p, accuracy = text("mnist.column.dropout", lang), text("mnist.accuracy", lang)
    y_label = text("mnist.loss", lang) if curve == "loss" else accuracy
    step = text("mnist.column.step", lang)
    return (
        answer(result, lang)
        + line_chart(lines, title, step, y_label, lang, log=curve == "loss")
        + figure_data("dropout-curves", _columns(points), "mnist.column", title, lang)
        + line_chart([Line(text("mnist.line.test", lang), accuracies)], test_title, p, accuracy, lang)
        + figure_data("dropout-test", _columns(tests), "mnist.column", test_title, lang)
        + code(result.values["command"], lang, "app.command")
    )


def _means(rows: list[dict], size: str, by: tuple[str, ...]) -> list[dict]:
    """Return the means over the seeds of all numbers, a row for each setting of `by`, in ascending order."""
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["size"] == size:
            groups.setdefault(tuple(row[name] for name in by), []).append(row)
    numbers = [name for name in rows[0] if name not in ("size", "seed")]
    return [{name: mean(row[name] for row in groups[key]) for name in numbers} for key in sorted(groups)]


def _columns(rows: list[dict]) -> list[dict]:
    """Return the rows with the columns that the page has a heading for."""
    shown = ("dropout", "step", "train_loss", "validation_loss", "train_accuracy", "validation_accuracy",
             "test_loss", "test_accuracy")  # fmt: skip
    return [{name: row[name] for name in shown if name in row} for row in rows]
