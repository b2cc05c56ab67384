"""The experiment `dropout-study`."""

from dataclasses import asdict, replace

from hf_llm.experiments.dropout_study import curves, other_setting
from hf_llm.experiments.frame import Lab, Study, Tables, select
from hf_llm.experiments.shared.dropout_settings import BATCH, NARROW, WIDE


def quantities(tables: Tables) -> dict:
    """Return what the texts cite: sizes, steps, the dropout that validation chose, and its loss elsewhere."""
    ends = curves.at_the_end(tables)
    other = other_setting.SETTINGS["other"]
    plain, dropping = (
        select(tables["settings"], **asdict(one))["test_loss"].mean() for one in (replace(other, dropout=0.0), other)
    )
    cited = {
        "moved_images": int(tables["settings"]["images"].iloc[0]),
        "other_loss": float(plain - dropping),
    }
    for size in ends["size"].unique():
        rows = select(ends, size=size)
        cited |= {f"{size}_{name}": int(rows[name].iloc[0]) for name in ("images", "steps")}
        cited |= {f"{size}_chosen": curves.chosen_dropout(ends, size), f"{size}_most": float(rows["dropout"].max())}
    return cited


def settings(study: Study) -> dict:
    sizes = study.pick(curves.QUICK, curves.FULL)
    return {
        "data": study.data, "width": WIDE.width, "batch": BATCH, "half": curves.HALF, "training": curves.TRAINING,
        "dropouts": {size: how.dropouts for size, how in sizes.items()},
        "other_width": NARROW.width, "other_steps": NARROW.steps, "other_dropout": NARROW.dropout,
        "little": other_setting.LITTLE,
    }  # fmt: skip


LAB = Lab(
    folder="dropout_study",
    parts=[curves, other_setting],
    lecture=["L14", "L27", "L28", "L29"],
    figure="curves",
    shown=["few_validation", "all_validation", "all_gap", "few_rise", "fewer_images", "width_matters",
           "schedule_matters"],
    settings=settings,
    quantities=quantities,
)  # fmt: skip
