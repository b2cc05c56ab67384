"""The exercise's committed result: what dropout does to loss and accuracy, on few, some and all images."""

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.page import App
from hf_llm.app.report_views import findings
from hf_llm.app.results import committed
from hf_llm.app.texts import Language, text
from hf_llm.app.views import behind, code, message

SIZES = ("few", "some", "all")
CURVES = ("loss", "accuracy")
DROPOUTS = (0.0, 0.2, 0.5, 0.7)  # drawn; eight pairs of curves could not be told apart


def show_study(app: App, size: str, curve: str, lang: Language) -> str:
    """Return the study's curves for a size of the training set, its test accuracy by dropout, and the findings.

    Args:
        app: What the pages share.
        size: One of `SIZES`.
        curve: One of `CURVES`.
    """
    result = committed(app.config.results, "dropout", lang)
    if result is None:
        return message(text("mnist.no_study", lang))
    tables = result.values["tables"]
    words = next(
        row["size"] for row in tables["summary"]["rows"] if row["images"] == result.values["settings"]["images"][size]
    )
    rows = [row for row in tables["curves"]["rows"] if row["size"] == words]
    lines = [
        Line(text(f"mnist.line_{part}", lang, p=_share(p, lang)),
             [(row["step"], row[f"{part}_{curve}"]) for row in rows if row["dropout"] == p], colour, part == "train")
        for colour, p in enumerate(DROPOUTS) for part in ("validation", "train")
    ]  # fmt: skip
    title = text(f"mnist.study_{curve}", lang, size=words[lang])
    test = [row for row in tables["summary"]["rows"] if row["size"] == words]
    test_title = text("mnist.study_test", lang, size=words[lang])
    ends = [
        Line(
            text(f"mnist.line_{name}", lang), [(row["dropout"], row[f"test_accuracy{end}"]) for row in test], 0,
            bool(end),
        )
        for name, end in (("mean", ""), ("low", "_low"), ("high", "_high"))
    ]  # fmt: skip
    return (
        line_chart(lines, title, text("mnist.step", lang), text(f"mnist.{curve}", lang), lang, log=curve == "loss")
        + _behind("dropout-curves", tables["curves"], rows, lang)
        + line_chart(ends, test_title, text("mnist.p", lang), text("mnist.accuracy", lang), lang)
        + _behind("dropout-test", tables["summary"], test, lang)
        + findings(result.values["findings"], "dropout", lang)
        + code(result.values["command"], lang, "common.command")
    )


def _behind(name: str, table: dict, rows: list[dict], lang: Language) -> str:
    headings = {key: words[lang] for key, words in table["headings"].items()}
    records = [{key: value[lang] if isinstance(value, dict) else value for key, value in row.items()} for row in rows]
    return behind(name, records, headings, table["caption"][lang], lang)


def _share(p: float, lang: Language) -> str:
    return f"{p:g}" if lang == "en" else f"{p:g}".replace(".", ",")
