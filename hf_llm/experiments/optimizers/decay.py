"""Weight decay with Adam: L2 in the loss against decoupled decay, on few images, where decay has work to do.

Adam divides each gradient by its usual size. L2 puts λw into the gradient, so what pulls a weight to zero is divided
too; decoupled decay (AdamW; Loshchilov and Hutter 2019) pulls beside the step. Both get the same learning rate, and
each a grid of as many λ, where its useful values lie.
"""

import pandas as pd
import torch

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.experiments.optimizers.tasks import ThreeParts, settings
from hf_llm.training.image_classification import classification_scores
from hf_llm.training.loop import train

IMAGES = 1_000
RATE = 1e-3
STEPS = (60, 300)  # of the short and of the full version
DECAYS = {"l2": [0.0, 1e-3, 3e-3, 0.01, 0.03, 0.1], "decoupled": [0.0, 0.1, 0.3, 1.0, 3.0, 10.0]}
OPTIMIZERS = {"l2": "adam", "decoupled": "adamw"}


def measure(study: Study) -> Tables:
    """Train a small net by both methods with each λ and every seed."""
    images, steps = ThreeParts.read(study.data), study.pick(*STEPS)
    grid = slice(None, None, study.pick(3, 1))
    cells = [(method, decay, seed) for method in DECAYS for decay in DECAYS[method][grid] for seed in study.seeds]
    rows = []
    for method, decay, seed in study.track(cells):
        task = images.task(IMAGES, seed, images.measure)
        config = settings(RATE, seed, steps, optimizer=OPTIMIZERS[method], weight_decay=decay, eval_steps=steps)
        record = train(task, config).records[-1]
        matrices = [p.detach().flatten() for p in task.model.parameters() if p.dim() >= 2]
        rows.append({
            "method": method, "decay": decay, "seed": seed, "accuracy": record["validation_accuracy"],
            "accuracy_to_choose_by": classification_scores(task.model, images.choose)["accuracy"],
            "norm": torch.cat(matrices).norm().item(),
        })  # fmt: skip
    return {"decays": pd.DataFrame(rows)}


def findings(tables: Tables) -> list[Finding]:
    table = tables["decays"]
    chosen = best(table, "decay", "accuracy_to_choose_by", by=["method"], largest=True).set_index("method")["decay"]
    accuracy = {method: 100 * by_seed(table, "accuracy", method=method, decay=chosen[method]) for method in DECAYS}
    none = 100 * by_seed(table, "accuracy", method="decoupled", decay=0.0)
    return [
        above("decoupled_over_l2", accuracy["decoupled"] - accuracy["l2"]),
        above("decoupled_over_none", accuracy["decoupled"] - none),
        above("l2_over_none", accuracy["l2"] - none),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """Accuracy and norm of the weights along λ; the grey line is training without decay."""
    table = tables["decays"]
    with_decay, without = table[table["decay"] > 0], table[table["decay"] == 0]
    figure, axes = new_figure(1, 2)
    for axis, column in zip(axes[0], ("accuracy", "norm")):
        curves(axis, with_decay, "decay", column, "method", say)
        axis.axhline(without[column].mean(), color="0.5", lw=1, label=say("figures.decays.none"))
        axis.set_xscale("log")
        label(axis, "λ", say(f"figures.decays.{column}"), legend=column == "accuracy")
    return figure


FIGURES = {"decays": draw}
