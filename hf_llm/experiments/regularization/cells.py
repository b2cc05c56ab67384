"""Lab `regularization`, the trainings: one net, some of four regularisers, few images or all.

Every net of a size trains on the same images in the same order from the same first weights, all by its seed, and with
a constant learning rate. So early stopping alone walks the path of the net without any regulariser and only ends
sooner, and what is compared is where to end, not how the rate falls.
"""

from dataclasses import asdict, dataclass, field
from functools import cached_property

from hf_llm.data.images import ImageData, LabelledImages, draw, hold_out, read_images
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.training.config import TrainingConfig
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.loop import train

HIDDEN = [128, 128]
HELD_OUT = 1 / 6  # of the training images: the customary last 10,000 of MNIST's 60,000
JUDGED = 5000  # at most so many images of the validation and of the training part are scored at each evaluation
FIGURES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")
PICKING_SEED = 1000  # no seed of the comparison, which would then be judged on what picked its strength

ALONE = ("dropout", "l2", "decoupled", "batch_norm", "early_stopping")
TOGETHER = ("dropout", "l2", "batch_norm", "early_stopping")
PAIRS = tuple((one, other) for i, one in enumerate(TOGETHER) for other in TOGETHER[i + 1 :])


@dataclass(frozen=True)
class Size:
    """How one size of the training set is treated.

    Args:
        images: Training images; None for all.
        steps: Optimizer steps, the same for every net.
        evaluations: Points of a curve, and chances to stop early.
        combinations: Which sets of regularisers are trained; the empty one is the baseline.
        grid: {regulariser: strengths that validation picks from}.
    """

    images: int | None
    steps: int
    evaluations: int
    combinations: tuple[tuple[str, ...], ...]
    grid: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Study:
    """The whole of what is run."""

    sizes: dict[str, Size]
    batch: int
    patience: int  # evaluations without a better validation loss
    training: dict = field(default_factory=lambda: {
        "learning_rate": 1e-3, "min_learning_rate_ratio": 1.0, "warmup_steps": 0, "max_grad_norm": 0.0,
        "precision": "fp32", "threads": 1,  # one thread: the numbers then do not depend on the cores
    })  # fmt: skip


SINGLES = ((), *((name,) for name in ALONE))
FULL = Study(
    {
        "few": Size(1000, 600, 20, (*SINGLES, *PAIRS, TOGETHER), {
            "dropout": (0.2, 0.4, 0.6), "l2": (1e-4, 1e-3, 1e-2, 1e-1), "decoupled": (1.0, 3.0, 10.0),
        }),
        "all": Size(None, 2880, 12, ((), ("dropout",), ("l2",), ("batch_norm",), ("early_stopping",), TOGETHER), {
            "dropout": (0.2, 0.4), "l2": (1e-5, 1e-4, 1e-3),
        }),
    },
    batch=128, patience=3,
)  # fmt: skip
QUICK_GRID = {"dropout": (0.2, 0.5), "l2": (1e-4, 1e-3), "decoupled": (1.0, 3.0)}
QUICK = Study(
    {
        "few": Size(200, 80, 8, (*SINGLES, TOGETHER), QUICK_GRID),
        "all": Size(None, 80, 8, ((), ("dropout",), ("l2",), ("batch_norm",), ("early_stopping",), TOGETHER), {
            "dropout": (0.2, 0.5), "l2": (1e-4, 1e-3),
        }),
    },
    batch=32, patience=2,
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """The images: to train on (or to draw from), to choose by, and to measure with at the end."""

    data: ImageData

    @classmethod
    def read(cls, source: str) -> "Parts":
        return cls(read_images(source))

    @cached_property
    def split(self) -> tuple[LabelledImages, LabelledImages]:
        train_images, held_out = hold_out(self.data.train, HELD_OUT)
        return train_images, held_out.select(slice(JUDGED))

    def training_images(self, size: Size, seed: int) -> LabelledImages:
        images = self.split[0]
        return images if size.images is None else draw(images, size.images, seed)


def train_cell(
    parts: Parts, study: Study, size: Size, combination: tuple[str, ...], strengths: dict[str, float], seed: int
) -> dict:
    """Train one net and return its curve; `task` holds the kept weights: the last, or with early stopping the best.

    Returns:
        {figure: values at each `step`}, `images`, `kept_step`, the `kept` place on the curve, and `task`.
    """
    chosen = {name: strengths[name] for name in combination if name in strengths}
    stops = "early_stopping" in combination
    images, validation = parts.training_images(size, seed), parts.split[1]
    config = TrainingConfig(
        **study.training,
        seed=seed,
        max_steps=size.steps,
        total_batch_size=study.batch,
        per_device_train_batch_size=study.batch,
        eval_steps=size.steps // size.evaluations,
        logging_steps=size.steps,
        early_stopping_patience=study.patience if stops else 0,
        # adam puts the decay into the gradient, where λ‖w‖² has it, with twice λ; adamw decouples it from there
        optimizer="adamw" if "decoupled" in combination else "adam",
        weight_decay=chosen.get("decoupled", 2 * chosen.get("l2", 0.0)),
    )
    model = new_image_classifier(
        "mlp",
        seed,
        hidden_sizes=HIDDEN,
        dropout=chosen.get("dropout", 0.0),
        batch_norm="batch_norm" in combination,
    )
    task = ImageClassification(
        model,
        images,
        validation,
        total_batch_size=study.batch,
        per_device_batch_size=study.batch,
        seed=seed,
        train_figures=JUDGED,
    )
    best = BestWeights(model)
    records = [record for record in train(task, config, on_record=best.note).records if "validation_loss" in record]
    if stops:
        model.load_state_dict(best.weights)
    kept = best.place if stops else len(records) - 1
    return {
        "images": len(images),
        "step": [record["step"] for record in records],
        **{figure: [record[figure] for record in records] for figure in FIGURES},
        "kept": kept,
        "kept_step": records[kept]["step"],
        "task": task,
    }


class BestWeights:
    """The weights of the evaluation with the lowest validation loss: what a run without a folder would forget."""

    def __init__(self, model):
        self.model, self.weights, self.place, self.loss, self.seen = model, None, -1, float("inf"), 0

    def note(self, record: dict) -> None:
        if "validation_loss" not in record:
            return
        if record["validation_loss"] < self.loss:
            self.loss, self.place = record["validation_loss"], self.seen
            self.weights = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.seen += 1


def score_on_test(parts: Parts, cell: dict) -> dict:
    """Measure the test set, once, and let the net go; returns the cell with `test_loss` and `test_accuracy`."""
    scores = classification_scores(cell.pop("task").model, parts.data.test)
    return {**cell, "test_loss": scores["loss"], "test_accuracy": scores["accuracy"]}


def settings(study: Study, parts: Parts) -> dict:
    """Return the study as JSON-ready values."""
    return {
        "data": parts.data.name,
        "data_sha256": parts.data.sha256,
        "model": {"name": "mlp", "hidden_sizes": HIDDEN, "activation": "relu"},
        "sizes": {
            name: {**asdict(size), "combinations": ["+".join(names) for names in size.combinations]}
            for name, size in study.sizes.items()
        },
        "batch": study.batch,
        "patience": study.patience,
        "validation_images": len(parts.split[1]),
        "training": study.training,
    }
