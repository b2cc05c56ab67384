"""The job behind scripts/train_mnist.py: images and settings in, a run folder out.

images → training, validation, test → classifier → loop → best weights → the test set, once → published folder
"""

from dataclasses import dataclass
from pathlib import Path

from accelerate import PartialState

from hf_llm.data.images import LabelledImages, draw, hold_out, read_images
from hf_llm.evaluation.intervals import share_interval
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.models.image_processing_digits import DigitsImageProcessor
from hf_llm.recipes.classifier_card import write_classifier_card
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.classifier_figures import draw_classifier
from hf_llm.recipes.figures import accuracy_figure, loss_figure
from hf_llm.recipes.job import Job, run_job
from hf_llm.recipes.report import classifier_report
from hf_llm.training.augmentation import Augmentation
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import TrainingResult


@dataclass(frozen=True)
class Images:
    """What a run is made from. `validation` may be empty; `test` is looked at when all is done."""

    name: str
    sha256: str
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages


def train_classifier(config: ClassifierConfig) -> dict:
    """Train an image classifier as `config` says, or go on with the run that `config.output_dir` holds.

    Returns:
        The manifest (run.json); of a finished run it has `metrics`.

    Raises:
        UserError: For missing or damaged images, settings that no model has, a diverged loss, a full disk, a signal.
    """
    start_processes(config.threads)
    return run_job(Classification(config, read_parts(config)))


def read_parts(config: ClassifierConfig) -> Images:
    """Read the images that `config.data` names and split them; errors as in `read_images`."""
    data = read_images(config.data)
    train, validation = hold_out(data.train, config.validation_fraction)
    if config.train_images is not None:
        train = draw(train, config.train_images, config.seed)
    return Images(data.name, data.sha256, train, validation, data.test)


def make_task(config: ClassifierConfig, images: Images, world_size: int = 1) -> ImageClassification:
    """Return the task: an untrained model and its images."""
    model = new_image_classifier(
        config.model,
        config.seed,
        hidden_sizes=config.hidden_sizes,
        activation=config.activation,
        dropout=config.dropout,
        input_dropout=config.input_dropout,
        batch_norm=config.batch_norm,
    )
    changes = (config.max_shift, config.max_turn, config.elastic)
    return ImageClassification(
        model,
        images.train,
        images.validation,
        total_batch_size=config.total_batch_size,
        per_device_batch_size=config.per_device_train_batch_size,
        world_size=world_size,
        seed=config.seed,
        augmentation=Augmentation(*changes) if any(changes) else None,
        train_figures=config.train_figures,
    )


class Classification(Job):
    """An image classifier: trained, chosen on the validation part, measured once on the test set."""

    name = "image-classification"

    def __init__(self, config: ClassifierConfig, images: Images):
        self.config, self.images = config, images

    def inputs(self) -> dict:
        images = self.images
        return {
            "data": {
                "name": images.name,
                "sha256": images.sha256,
                "train_images": len(images.train),
                "validation_images": len(images.validation),
                "test_images": len(images.test),
            }
        }

    def prepare(self, processes: PartialState) -> ImageClassification:
        task = make_task(self.config, self.images, processes.num_processes)
        if processes.is_main_process:
            epochs = self.config.max_steps * self.config.total_batch_size / len(self.images.train)
            print(
                f"{self.config.model}: {task.model.num_parameters():,} parameters; {len(self.images.train):,} training "
                f"images of {self.images.name}, {self.config.max_steps:,} steps of {self.config.total_batch_size} = "
                f"{epochs:.1f} epochs; accumulation {task.plan.accumulation}"
            )
        return task

    def score(self, task: ImageClassification) -> dict:
        return _scores(task, self.images.validation) if len(self.images.validation) else {}

    def test(self, task: ImageClassification) -> dict:
        return _scores(task, self.images.test) if self.config.test else {}

    def describe(self, task: ImageClassification, result: TrainingResult, speed: float) -> dict:
        return {"model": {"parameters": task.model.num_parameters(), "config": task.model.config.to_diff_dict()}}

    def parts(self, task: ImageClassification) -> list:
        return [task.model, DigitsImageProcessor()]

    def draw(self, task: ImageClassification, records: list[dict], folder: Path, published_step: int) -> None:
        loss_figure(records, folder / "loss.png", published_step)
        accuracy_figure(records, folder / "accuracy.png", published_step)
        # pictures of what the model does wrong: on the test set only where it has been measured anyway
        shown = self.images.test if self.config.test else self.images.validation
        draw_classifier(task.model, shown, folder)

    def write_card(self, folder: Path, manifest: dict) -> None:
        write_classifier_card(folder, manifest)

    def report(self, folder: Path, manifest: dict) -> str:
        return classifier_report(folder, manifest)


def _scores(task: ImageClassification, images: LabelledImages) -> dict:
    """Return loss, accuracy and its interval of `task.model`, in fp32."""
    scores = classification_scores(task.model, images)
    return {**scores, "interval_95": list(share_interval(scores["correct"], scores["images"]).bounds)}
