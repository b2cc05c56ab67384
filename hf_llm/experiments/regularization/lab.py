"""Lab: dropout, L2, batch norm and early stopping, alone and together, on few images and on all. L14-L17.

Strengths are picked by validation loss with a seed of its own; the test set is measured once a net, when its training
is over. Differences are paired by the seed, which gives the nets their images, their first weights and their order.
"""

import numpy as np

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.regularization.cells import (
    FIGURES,
    FULL,
    PICKING_SEED,
    QUICK,
    TOGETHER,
    Parts,
    Study,
    score_on_test,
    settings,
    train_cell,
)
from hf_llm.experiments.regularization.charts import curves_chart, effects_chart, layers_chart
from hf_llm.experiments.regularization.findings import effect_findings, gap, stopping_findings
from hf_llm.experiments.regularization.layer_findings import layer_findings
from hf_llm.experiments.regularization.mechanics import batch_norm_layer, dropout_layer, penalty
from hf_llm.experiments.regularization.words import (
    CAPTIONS,
    CAVEATS,
    HEADINGS,
    INTRODUCTION,
    NAMES,
    SIZES,
    STRENGTH,
    TITLE,
    name_of,
)
from hf_llm.experiments.result import Progress, Result, Table, track
from hf_llm.experiments.seed_comparison import DIGITS, points, with_bounds

BATCH_NORM_IMAGES = 256  # two mini-batches


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Check the layers, pick the strengths, train the grid and compare."""
    study, seeds = QUICK if config.quick else FULL, list(range(config.seeds))
    parts = Parts.read(config.data)
    picks, runs = train_all(parts, study, seeds, progress)

    dropout, dropout_rows = dropout_layer()
    norm, norm_rows = batch_norm_layer(parts.split[0].select(slice(BATCH_NORM_IMAGES)))
    tables = {
        "summary": summary_table(runs, study, seeds),
        "stopping": stopping_table(runs, study, seeds),
        "strengths": strengths_table(picks),
        "curves": curves_table(runs, study, seeds),
        "dropout_layer": table("dropout_layer", dropout_rows, "unit", "before", "training", "evaluation"),
        "batch_norm_layer": table(
            "batch_norm_layer", norm_rows, "unit", "before_mean", "before_deviation", "after_mean", "after_deviation"
        ),
    }
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L14", "L15", "L16", "L17"],
        quick=config.quick,
        seeds=seeds,
        settings=settings(study, parts),
        findings=[
            *layer_findings(dropout, penalty(), norm),
            *stopping_findings(runs, study, seeds),
            *effect_findings(runs, study, seeds, TOGETHER),
        ],
        tables=tables,
        charts={
            "layers": layers_chart(tables["dropout_layer"], tables["batch_norm_layer"]),
            "curves": curves_chart(tables["curves"], tables["stopping"]),
            "effects": effects_chart(tables["summary"]),
        },
        caveats=CAVEATS,
    )


def train_all(parts: Parts, study: Study, seeds: list[int], progress: Progress) -> tuple[list[dict], dict]:
    """Pick each strength, then train and test every cell.

    Returns:
        The rows of the search, and {(size, combination, seed): cell}.
    """
    searches = [
        (size, (name,), {name: strength}, None)
        for size, how in study.sizes.items() for name, grid in how.grid.items() for strength in grid
    ]  # fmt: skip
    cells = [
        (size, names, None, seed)
        for size, how in study.sizes.items() for names in how.combinations for seed in seeds
    ]  # fmt: skip
    picks, runs = [], {}
    for size, names, strengths, seed in track([*searches, *cells], progress):
        how = study.sizes[size]
        if seed is None:
            cell = train_cell(parts, study, how, names, strengths, PICKING_SEED)
            picks.append({
                "size": size, "part": names[0], "strength": strengths[names[0]],
                "validation_accuracy": cell["validation_accuracy"][-1], "validation_loss": cell["validation_loss"][-1],
            })  # fmt: skip
        else:
            cell = train_cell(parts, study, how, names, picked(picks, size), seed)
            runs[size, names, seed] = score_on_test(parts, cell)
    return picks, runs


def picked(picks: list[dict], size: str) -> dict[str, float]:
    """Return {regulariser: the strength with the lowest validation loss}, which is what early stopping goes by, too."""
    best = {}
    for row in sorted(picks, key=lambda row: row["validation_loss"], reverse=True):
        if row["size"] == size:
            best[row["part"]] = row["strength"]
    return best


def table(caption: str, rows: list[dict], *shown: str) -> Table:
    return Table(CAPTIONS[caption], {name: HEADINGS[name] for name in shown}, rows)


def strengths_table(picks: list[dict]) -> Table:
    """Return the search: every strength with its figures on validation."""
    rows = [
        {
            "size": row["size"], "size_name": SIZES[row["size"]], "part": row["part"], "name": NAMES[row["part"]],
            "what": STRENGTH[row["part"]], "strength": row["strength"],
            "validation_accuracy": round(row["validation_accuracy"], DIGITS),
            "validation_loss": round(row["validation_loss"], DIGITS),
            "picked": row["strength"] == picked(picks, row["size"])[row["part"]],
        }
        for row in picks
    ]  # fmt: skip
    return table(
        "strengths", rows, "size_name", "name", "what", "strength", "validation_accuracy", "validation_loss", "picked"
    )


def summary_table(runs: dict, study: Study, seeds: list[int]) -> Table:
    """Return one row for each size and set of regularisers."""
    rows = []
    for size, how in study.sizes.items():
        plain = [runs[size, (), seed]["test_accuracy"] for seed in seeds]
        for names in how.combinations:
            cells = [runs[size, names, seed] for seed in seeds]
            test = [cell["test_accuracy"] for cell in cells]
            gains = with_bounds("gain", points(test, plain))
            rows.append({
                "size": size, "size_name": SIZES[size], "images": cells[0]["images"], "parts": list(names),
                "name": name_of(names, TOGETHER),
                "kept_step": round(float(np.mean([cell["kept_step"] for cell in cells]))),
                **{figure: round(float(np.mean([cell[figure][cell["kept"]] for cell in cells])), DIGITS)
                   for figure in FIGURES},
                **with_bounds("gap", [gap(cell) for cell in cells]),
                "test_loss": round(float(np.mean([cell["test_loss"] for cell in cells])), DIGITS),
                **with_bounds("test_accuracy", test),
                **(gains if names else dict.fromkeys(gains)),
            })  # fmt: skip
    return table(
        "summary", rows, "size_name", "images", "name", "kept_step", "train_loss", "validation_loss", "gap",
        "train_accuracy", "validation_accuracy", "test_loss", "test_accuracy", "test_accuracy_low",
        "test_accuracy_high", "gain", "gain_low", "gain_high",
    )  # fmt: skip


def stopping_table(runs: dict, study: Study, seeds: list[int]) -> Table:
    """Return where early stopping stopped with each seed, and what it won or lost against going on."""
    rows = []
    for size, how in study.sizes.items():
        for seed in seeds:
            stopped, plain = runs[size, ("early_stopping",), seed], runs[size, (), seed]
            rows.append({
                "size": size, "size_name": SIZES[size], "seed": seed, "kept_step": stopped["kept_step"],
                "stopped_step": stopped["step"][-1], "last_step": how.steps,
                "saved": round(100 * (1 - stopped["step"][-1] / how.steps), 1),
                "accuracy_won": round(float(points(stopped["test_accuracy"], plain["test_accuracy"])), DIGITS),
                "loss_won": round(plain["test_loss"] - stopped["test_loss"], DIGITS),
                **{figure: round(stopped[figure][stopped["kept"]], DIGITS) for figure in FIGURES},
            })  # fmt: skip
    return table(
        "stopping", rows, "size_name", "seed", "kept_step", "stopped_step", "last_step", "saved", "accuracy_won",
        "loss_won",
    )  # fmt: skip


def curves_table(runs: dict, study: Study, seeds: list[int]) -> Table:
    """Return mean, least and greatest value at every evaluation that all seeds reached, of single sets and of all."""
    rows = []
    for size, how in study.sizes.items():
        for names in how.combinations:
            if len(names) == 2 or names == ("early_stopping",):  # too many lines; and the beginning of none's
                continue
            cells = [runs[size, names, seed] for seed in seeds]
            for place in range(min(len(cell["step"]) for cell in cells)):
                row = {"size": size, "size_name": SIZES[size], "name": name_of(names, TOGETHER),
                       "step": cells[0]["step"][place]}  # fmt: skip
                for figure in FIGURES:
                    values = np.array([cell[figure][place] for cell in cells])
                    row[figure] = round(float(values.mean()), DIGITS)
                    row[f"{figure}_low"] = round(float(values.min()), DIGITS)
                    row[f"{figure}_high"] = round(float(values.max()), DIGITS)
                rows.append(row)
    return table("curves", rows, "size_name", "name", "step", *FIGURES)
