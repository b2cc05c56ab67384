"""The recipe behind hf-llm train_mnist: from images and settings to an image classifier in a folder of its own.

images → training, validation, test → loop → best weights, scored → the test set, once → published
"""

from dataclasses import dataclass

from hf_llm.data.images import LabelledImages, draw, hold_out, read_images
from hf_llm.evaluation.intervals import share_interval
from hf_llm.models.digit_form import form_of
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.models.image_processing_digits import DigitsImageProcessor
from hf_llm.recipes.card import classifier_card
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.classifier_figures import classifier_figures
from hf_llm.recipes.figures import accuracy_figure, loss_figure
from hf_llm.recipes.publish import measured, publish
from hf_llm.recipes.report import classifier_report, monitor
from hf_llm.runs.run import open_run
from hf_llm.training.augmentation import Augmentation
from hf_llm.training.image_classification import ImageClassification, classification_scores
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.state import load_best


def train_classifier(config: ClassifierConfig) -> dict:
    """Train an image classifier as `config` says, or go on with the run that `config.output_dir` holds.

    Returns:
        The manifest (run.json); of a finished run it has `metrics`.

    Raises:
        UserError: For missing or damaged images, settings that no model has, a diverged loss, a full disk, a signal.
    """
    processes = start_processes(config.threads)
    images = read_parts(config)

    with open_run("image-classification", config, processes, data=images.facts()) as run:
        if not run.finished:
            task = make_task(config, images, processes.num_processes)
            parameters = task.model.num_parameters()
            if processes.is_main_process:
                epochs = config.max_steps * config.total_batch_size / len(images.train)
                print(
                    f"{config.model}: {parameters:,} parameters; {len(images.train):,} training images of "
                    f"{images.name}, {config.max_steps:,} steps of {config.total_batch_size} = {epochs:.1f} epochs; "
                    f"accumulation {task.plan.accumulation}"
                )
            with monitor(config.report_to, run) as show:
                result = train(task, config, run, show, processes)

            if processes.is_main_process:
                last = best = _scores(task, images.validation) | {"step": result.progress.step}
                published_step = load_best(run, task.model, result.progress)
                if published_step != last["step"]:
                    best = _scores(task, images.validation) | {"step": published_step}
                scores = {"train": {"loss": result.progress.train_loss}, "validation": best, "validation_last": last}
                if config.test:
                    scores["test"] = _scores(task, images.test) | {"step": published_step}
                records = run.log.records()
                figures = {
                    "loss": loss_figure(records, published_step),
                    "accuracy": accuracy_figure(records, published_step),
                    # what the model does wrong: on the test set only where it has been measured anyway
                    **classifier_figures(task.model, images.test if config.test else images.validation),
                }
                run.manifest |= {
                    "model": {"parameters": parameters, "config": task.model.config.to_diff_dict()},
                    **measured(run, "images", result),
                }
                publish(
                    run,
                    parts=[task.model, DigitsImageProcessor(digit_form=form_of(images.train.images[:1000]))],
                    scores=scores,
                    figures=figures,
                    card=classifier_card(run.folder, run.manifest, scores, list(figures)),
                )
        if processes.is_main_process:
            print(classifier_report(run.folder, run.manifest))
    processes.destroy_process_group()  # gloo's threads would abort a process that ends while they run
    return run.manifest


@dataclass(frozen=True)
class Images:
    """What a run is made from. `validation` may be empty; `test` is looked at when all is done."""

    name: str
    sha256: str
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages

    def facts(self) -> dict:
        """Return what a manifest says of them."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "train_images": len(self.train),
            "validation_images": len(self.validation),
            "test_images": len(self.test),
        }


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


def _scores(task: ImageClassification, images: LabelledImages) -> dict:
    """Return loss, accuracy and its interval of `task.model`, in fp32; nothing without images."""
    if not len(images):
        return {}
    scores = classification_scores(task.model, images)
    return {**scores, "interval_95": list(share_interval(scores["correct"], scores["images"]).bounds)}
