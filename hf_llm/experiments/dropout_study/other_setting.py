"""Why `regularization` finds that dropout costs accuracy: the exercise with one factor at a time of its setting.

The exercise's own net is measured in `curves`; here are those with the width, the number of steps or the learning
rate of the other setting, the other setting whole, and the narrow net with a smaller p.
"""

from dataclasses import asdict, replace

import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.shared.dropout_settings import NARROW, WIDE, gain, measure_settings, with_one_factor_of
from hf_llm.experiments.shared.image_runs import ImageParts

LITTLE = 0.2
MOVED = with_one_factor_of(WIDE, NARROW)
SETTINGS = {
    **{factor: MOVED[factor] for factor in ("width", "steps", "schedule")},
    "width_little": replace(MOVED["width"], dropout=LITTLE),
    "other": NARROW,
}


def measure(study: Study) -> Tables:
    """Train every setting with its dropout and without."""
    parts = ImageParts.read(study.data)
    return {"settings": measure_settings(parts, list(SETTINGS.values()), study.seeds, study.track, study.quick)}


def gains(tables: Tables) -> dict[str, object]:
    """Return {setting: points of test accuracy that dropout adds, (seeds,)}, the exercise's own first."""
    own = [100 * by_seed(tables["test"], "test_accuracy", size="few", dropout=p) for p in (WIDE.dropout, 0.0)]
    return {"own": own[0] - own[1], **{name: gain(tables["settings"], one) for name, one in SETTINGS.items()}}


def findings(tables: Tables) -> list[Finding]:
    measured = gains(tables)
    return [
        above("width_matters", measured["own"] - measured["width"]),
        above("schedule_matters", measured["own"] - measured["schedule"]),
        *(above(f"{name}_gain", measured[name]) for name in SETTINGS),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """The gain from dropout in each setting, with its interval."""
    figure, ((axis,),) = new_figure(width=7)
    rows = pd.DataFrame(gains(tables)).rename_axis("seed").reset_index().melt("seed", None, "setting", "gain")
    dots(axis, rows, "gain", "setting", say)
    axis.axvline(0, color="black", lw=0.8)
    label(axis, say("figures.settings.gain"), "", legend=False)
    return figure


def summarise(tables: Tables) -> pd.DataFrame:
    """Return the settings with their mean gain."""
    settings = {"own": WIDE, **SETTINGS}
    return pd.DataFrame(
        {"setting": name, **asdict(settings[name]), "gain": values.mean()} for name, values in gains(tables).items()
    )


FIGURES = {"settings": draw}
SUMMARIES = {"settings": summarise}
