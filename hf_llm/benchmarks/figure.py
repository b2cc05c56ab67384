"""A contest of speed as a picture: a bar a contestant, as long as its median, with a line from slowest to fastest."""

from collections.abc import Collection
from pathlib import Path

from hf_llm.evaluation.charts import COLOURS, label, new_figure


def draw_speeds(path: Path, works: dict[str, dict[str, dict[str, float]]], ours: Collection[str]) -> None:
    """Write a PNG with one chart a work, the fastest contestant on top.

    Args:
        path: Where to.
        works: {title: what `speeds` returned}.
        ours: Names of the contestants whose bars are ours.
    """
    tallest = max(len(contestants) for contestants in works.values())
    figure, axes = new_figure(columns=len(works), width=5.2, height=0.6 + 0.3 * tallest)
    for axis, (title, contestants) in zip(axes[0], works.items()):
        names = sorted(contestants, key=lambda name: contestants[name]["tokens_per_second"])
        medians = [contestants[name]["tokens_per_second"] for name in names]
        reach = [
            [median - contestants[name]["slowest"] for name, median in zip(names, medians)],
            [contestants[name]["fastest"] - median for name, median in zip(names, medians)],
        ]
        colours = [COLOURS[0] if name in ours else "#b0b0b0" for name in names]
        axis.barh(names, medians, xerr=reach, color=colours, error_kw={"lw": 1, "ecolor": "#404040"})
        axis.grid(axis="y", visible=False)
        label(axis, "tokens per second", "", title, legend=False)
    figure.savefig(path, dpi=120)
