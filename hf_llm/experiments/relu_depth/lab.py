"""Why is ReLU preferred in deep hidden layers? (L31) Does it "avoid the dead gradient"? (L4)

Nets of the same width, from shallow to deep, are looked into before training and while they train: the gradient that
reaches each layer, and the units that let none through. Then they meet the test set. Differences are paired by the
seed, which gives the nets that are compared their first weights, up to a factor, and the order of the images.

Sources: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"; He et al.
2015, "Delving deep into rectifiers"; Lu et al. 2019, "Dying ReLU and initialization"; Yang et al. 2019, "A mean field
theory of batch normalization".
"""

from dataclasses import asdict

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.relu_depth.cells import (
    CUSTOMARY,
    FULL,
    QUICK,
    Parts,
    Study,
    best_rate,
    grid,
    train_net,
    try_rate,
)
from hf_llm.experiments.relu_depth.charts import (
    dead_chart,
    depth_chart,
    rescued_start_chart,
    rescues_chart,
    start_chart,
    training_chart,
)
from hf_llm.experiments.relu_depth.findings import (
    VANISHED,
    dead_findings,
    rescue_findings,
    start_findings,
    training_findings,
)
from hf_llm.experiments.relu_depth.nets import DRAWS, RESCUES, DeepMLP, Kind
from hf_llm.experiments.relu_depth.probe import NO_GRADIENT, probe
from hf_llm.experiments.relu_depth.tables import nets_table, rates_table, start_table, training_table
from hf_llm.experiments.relu_depth.words import CAVEATS, INTRODUCTION, TITLE
from hf_llm.experiments.result import Progress, Result, track
from hf_llm.training.launch import start_processes


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Look into the deepest nets, train the grid, and compare."""
    start_processes(threads=1)  # nets of this size gain nothing from a second one, and the bits depend on the number
    study, seeds = QUICK if config.quick else FULL, list(range(config.seeds))
    parts, deepest = Parts.read(config.data, study), study.depths[-1]
    starts = look_before_training(parts, study, seeds)
    trials, runs = train_all(parts, study, seeds, progress)

    plain = {key: cells for key, cells in runs.items() if key[0].rescue == "none"}
    rescued = {
        (kind, optimizer): cells
        for (kind, optimizer), cells in runs.items()
        if kind.depth == deepest and optimizer == "sgd" and CUSTOMARY[kind.activation] == kind.weights
    }
    tables = {
        "start": start_table(starts),
        "training": training_table(runs, [kind for kind, _ in rescued if kind.rescue == "none"]),
        "depth": nets_table("depth", plain, "depth", "name", "weights_name", "optimizer_name"),
        "rescues": nets_table("rescues", rescued, "rescue_name", "name", "weights_name"),
    }
    if trials:
        tables["rates"] = rates_table(trials)
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L4", "L31"],
        quick=config.quick,
        seeds=seeds,
        settings={
            "data": parts.data.name, "data_sha256": parts.data.sha256, "training_images": len(parts.train),
            "judged_images": len(parts.judged), "probed_images": len(parts.probed),
            "vanished_powers_of_ten": VANISHED, "dead_below": NO_GRADIENT, "max_grad_norm": 1.0, "momentum": 0.9,
            **{name: value for name, value in asdict(study).items() if name not in ("judged", "probed")},
        },
        findings=[
            *start_findings(starts, deepest),
            *training_findings(runs, study.depths),
            *dead_findings(runs, study.depths),
            *rescue_findings(runs, deepest),
        ],
        tables=tables,
        charts={
            "start": start_chart(tables["start"]),
            "depth": depth_chart(tables["depth"]),
            "training": training_chart(tables["training"]),
            "dead": dead_chart(tables["depth"], tables["training"]),
            "rescued_start": rescued_start_chart(tables["start"]),
            "rescues": rescues_chart(tables["rescues"]),
        },
        caveats=CAVEATS,
    )  # fmt: skip


def look_before_training(parts: Parts, study: Study, seeds: list[int]) -> dict[Kind, list[dict]]:
    """Return what the deepest nets do before training, {kind: looks by seed}: all activations with both weights, and
    each with its customary weights and each rescue."""
    kinds = [
        Kind(study.depths[-1], activation, weights, **settings)
        for rescue, settings in RESCUES.items() for weights in DRAWS for activation in CUSTOMARY
        if rescue == "none" or CUSTOMARY[activation] == weights
    ]  # fmt: skip
    return {kind: [probe(DeepMLP(kind, study.width, seed), parts.probed) for seed in seeds] for kind in kinds}


def train_all(parts: Parts, study: Study, seeds: list[int], progress: Progress) -> tuple[dict, dict]:
    """Pick each net's rate, where there is a choice, then train it with every seed.

    Returns:
        {(kind, optimizer): trials of the rates}, {(kind, optimizer): cells by seed}.
    """
    trials, runs = {}, {}
    for net in track(grid(study), progress):
        kind, optimizer = net
        rate, *others = study.rates[optimizer]
        if others:
            tried = [try_rate(parts, study, kind, optimizer, rate) for rate in study.rates[optimizer]]
            rate = best_rate(tried)
            trials[net] = [trial | {"picked": trial["rate"] == rate} for trial in tried]
        runs[net] = [train_net(parts, study, kind, optimizer, rate, seed) for seed in seeds]
    return trials, runs
