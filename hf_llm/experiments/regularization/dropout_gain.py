"""Why `dropout-study` finds a gain from dropout where this experiment finds a loss, one factor at a time.

The narrow net of this experiment is trained with every p, also those that its validation loss does not choose; then
with the width, the number of steps or the learning rate of the other setting, and in the other setting whole.
"""

from dataclasses import asdict, replace

import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.shared.dropout_settings import NARROW, WIDE, gain, measure_settings, with_one_factor_of
from hf_llm.experiments.shared.image_runs import ImageParts

DROPOUTS = [0.1, 0.2, 0.4, 0.5, 0.6]  # of the narrow net
MOVED = with_one_factor_of(NARROW, WIDE)
SETTINGS = {
    "own": NARROW,
    **{factor: MOVED[factor] for factor in ("width", "steps", "schedule")},
    "p": MOVED["dropout"],  # since "dropout" is already the name of a regularizer
    "other": WIDE,
}


def measure(study: Study) -> Tables:
    """Train every setting with its dropout and without."""
    parts = ImageParts.read(study.data)
    settings = [*SETTINGS.values(), *(replace(NARROW, dropout=p) for p in DROPOUTS)]
    return {"settings": measure_settings(parts, settings, study.seeds, study.track, study.quick)}


def chosen_by_accuracy(tables: Tables) -> float:
    """Return the p of the narrow net whose mean validation accuracy is greatest."""
    table = tables["settings"]
    own = {name: value for name, value in asdict(NARROW).items() if name != "dropout"}
    rows = table[(table[list(own)] == pd.Series(own)).all(axis=1) & (table["dropout"] > 0)]
    return float(best(rows, "dropout", "validation_accuracy", by=["width"], largest=True)["dropout"][0])


def findings(tables: Tables) -> list[Finding]:
    table = tables["settings"]
    measured = {name: gain(table, setting) for name, setting in SETTINGS.items()}
    return [
        above("width_matters", measured["width"] - measured["own"]),
        above("p_matters", measured["p"] - measured["own"]),
        above("less_gain", gain(table, replace(NARROW, dropout=chosen_by_accuracy(tables)))),
        *(above(f"{name}_gain", values) for name, values in measured.items()),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """The gain from dropout: left in each setting, right along p in the narrow net."""
    table = tables["settings"]
    figure, axes = new_figure(1, 2, width=5.6)
    for axis, settings in zip(axes[0], (SETTINGS, {p: replace(NARROW, dropout=p) for p in DROPOUTS})):
        gains = pd.DataFrame({name: gain(table, setting) for name, setting in settings.items()})
        rows = gains.rename_axis("seed").reset_index().melt("seed", None, "setting", "gain")
        dots(axis, rows, "gain", "setting", say)
        axis.axvline(0, color="black", lw=0.8)
        label(axis, say("figures.settings.gain"), "", legend=False)
    axes[0, 1].set_ylabel("p")
    return figure


def summarise(tables: Tables) -> pd.DataFrame:
    """Return the settings with their mean gain."""
    settings = dict.fromkeys([*SETTINGS.values(), *(replace(NARROW, dropout=p) for p in DROPOUTS)])
    return pd.DataFrame({**asdict(one), "gain": gain(tables["settings"], one).mean()} for one in settings)


FIGURES = {"settings": draw}
SUMMARIES = {"settings": summarise}
