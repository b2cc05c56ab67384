"""Lab: MLP, LeNet, ResNet and EfficientNet at equal parameters and in equal time; is ReLU the standard? L8, L19.

Learning rates are picked on validation by a seed of its own; the test set is measured once a net, when its training
is over. Differences are paired by the seed, which gives the nets that are compared the same images in the same order.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from hf_llm.experiments.architectures.cells import (
    FULL,
    QUICK,
    NetMaker,
    Parts,
    Study,
    accuracy_of,
    best_rate,
    score_on_test,
    train_net,
    try_rate,
)
from hf_llm.experiments.architectures.charts import depth_chart, families_chart, relu_chart, shift_chart
from hf_llm.experiments.architectures.findings import depth_findings, family_findings, timing_findings
from hf_llm.experiments.architectures.nets import (
    EQUAL_SIZE,
    RECURRENT,
    RowReader,
    channels_last,
    net_of_equal_size,
    resnet_of_depth,
)
from hf_llm.experiments.architectures.relu import by_hand, convolutional_defaults, recurrent_defaults, relu_findings
from hf_llm.experiments.architectures.shift import SHIFTS, equivariance, moved_test, shift_findings
from hf_llm.experiments.architectures.tables import (
    accuracy_table,
    defaults_table,
    depth_table,
    equal_time_table,
    rates_table,
    shift_table,
    throughput_table,
)
from hf_llm.experiments.architectures.words import (
    ACTIVATIONS,
    CAVEATS,
    FAMILIES,
    INTRODUCTION,
    LENETS,
    RECURRENT_NAMES,
    SHORTCUTS,
    TITLE,
)
from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.result import Progress, Result, Timings, track
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.augmentation import Augmentation

MOVED_MAPS = 64  # images that the convolution is checked on


@dataclass(frozen=True)
class Cell:
    """One net of the grid: its part of the study, its name there, and whose learning rate it uses."""

    part: str
    name: str | tuple
    make: NetMaker
    rate_of: tuple[str, str | tuple]
    moves: float = 0.0  # pixels that training images move by


def grid(study: Study) -> list[Cell]:
    """Return the nets, each to be trained with every seed."""

    def own_rate(part: str, name: str, make: NetMaker) -> Cell:
        return Cell(part, name, make, (part, name))

    families = [own_rate("families", name, partial(net_of_equal_size, name)) for name in EQUAL_SIZE]
    return [
        *families,
        Cell("families", "mlp_moved", families[0].make, ("families", "mlp"), moves=max(SHIFTS)),
        *(
            Cell("depth", (sum(depths), shortcuts), partial(resnet_of_depth, depths, shortcuts), ("families", "resnet"))
            for depths in study.depths for shortcuts in SHORTCUTS
        ),
        *(own_rate("activations", name, partial(lenet_5, name)) for name in ACTIVATIONS),
        *(own_rate("recurrent", name, partial(RowReader, name)) for name in RECURRENT),
    ]  # fmt: skip


def lenet_5(activation: str, seed: int):
    return channels_last(new_image_classifier("lenet", seed, activation=activation))


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Train the grid, first by steps and then by the clock, and compare."""
    study, seeds = QUICK if config.quick else FULL, list(range(config.seeds))
    parts = Parts.read(config.data, study)
    trials, runs, in_time = train_all(parts, study, seeds, progress)
    by_part = {
        part: {name: cells for (where, name), cells in runs.items() if where == part} for part in study.steps
    }  # fmt: skip
    defaults = {"convolutional": convolutional_defaults(), "recurrent": recurrent_defaults()}
    throughput = {name: study.batch / np.array([cell["step_seconds"] for cell in by_part["families"][name]])
                  for name in EQUAL_SIZE}  # fmt: skip
    tables = {
        "families": accuracy_table("families", by_part["families"], FAMILIES, trials),
        "shift": shift_table(by_part["families"]),
        "depth": depth_table(by_part["depth"]),
        "defaults": defaults_table(defaults),
        "activations": accuracy_table("activations", by_part["activations"], LENETS, trials),
        "recurrent": accuracy_table("recurrent", by_part["recurrent"], RECURRENT_NAMES, trials),
        "rates": rates_table(trials),
    }
    timings = Timings(
        {
            "throughput": throughput_table(throughput, by_part["families"]),
            "equal_time": equal_time_table(study, in_time),
        },
        timing_findings(throughput, in_time),
    )
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L8", "L19"],
        quick=config.quick,
        seeds=seeds,
        settings={
            "data": parts.data.name, "data_sha256": parts.data.sha256, "training_images": len(parts.train),
            "picking_images": len(parts.picking), "families": EQUAL_SIZE,
            **{name: value for name, value in asdict(study).items() if name != "picking_images"},
        },
        findings=[
            *family_findings(by_part["families"]),
            *shift_findings(equivariance(parts.train.select(slice(MOVED_MAPS))), by_part["families"]),
            *depth_findings(by_part["depth"]),
            *relu_findings(defaults, by_hand(), by_part["activations"], by_part["recurrent"]),
        ],
        tables=tables,
        charts={
            "families": families_chart(tables["families"], timings.tables["equal_time"], timings.tables["throughput"]),
            "shift": shift_chart(tables["shift"]),
            "depth": depth_chart(tables["depth"]),
            "relu": relu_chart(tables["activations"], tables["recurrent"]),
        },
        caveats=CAVEATS,
        timings=timings,
    )  # fmt: skip


def train_all(parts: Parts, study: Study, seeds: list[int], progress: Progress) -> tuple[dict, dict, dict]:
    """Pick the rates, train and test the grid, then the families by the clock.

    Returns:
        {(part, name): trials of the rates}, {(part, name): cells by seed}, {family: cells by seed}.
    """
    cells, moved = grid(study), moved_test(parts.data.test, study.shifted_images)
    trials, runs, in_time = {}, {}, {}

    def search(cell: Cell, rate: float) -> None:
        trial = try_rate(parts, study, cell.make, study.steps[cell.part], rate)
        trials.setdefault((cell.part, cell.name), []).append(trial)

    def by_steps(cell: Cell, seed: int) -> None:
        rate = best_rate(trials[cell.rate_of])
        trained = train_net(parts, study, cell.make, study.steps[cell.part], rate, seed,
                            augmentation=Augmentation(max_shift=cell.moves) if cell.moves else None)  # fmt: skip
        tested = score_on_test(parts, trained)
        if cell.part == "families":
            tested["by_shift"] = [accuracy_of(tested["model"], moved[pixels]) for pixels in SHIFTS]
        runs.setdefault((cell.part, cell.name), []).append(without_model(tested))

    def by_the_clock(cell: Cell, seed: int) -> None:
        step_seconds = np.median([run["step_seconds"] for run in runs[cell.part, cell.name]])
        steps = max(1, round(study.seconds / step_seconds))
        trained = train_net(parts, study, cell.make, steps, best_rate(trials[cell.rate_of]), seed)
        in_time.setdefault(cell.name, []).append({**without_model(score_on_test(parts, trained)), "steps": steps})

    searching = [cell for cell in cells if cell.rate_of == (cell.part, cell.name)]
    clocked = [cell for cell in searching if cell.part == "families"]
    jobs: list[Callable[[], None]] = [
        *(partial(search, cell, rate) for cell in searching for rate in study.rates),
        *(partial(by_steps, cell, seed) for cell in cells for seed in seeds),
        *(partial(by_the_clock, cell, seed) for cell in clocked for seed in seeds),
    ]
    for job in track(jobs, progress):
        job()
    return trials, runs, in_time


def without_model(cell: dict) -> dict:
    return {name: value for name, value in cell.items() if name != "model"}
