"""The classifier job: the run folder, what is published, the test set, resuming, verifying."""

import dataclasses
import json
from unittest.mock import Mock

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from hf_llm.config import UserError
from hf_llm.data.images import read_images
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.recipes.classifier import train_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.verify import verify
from hf_llm.runs.log import TIMES
from hf_llm.runs.manifest import read_manifest
from hf_llm.runs.run import Run
from hf_llm.training.image_classification import ImageClassification, classification_scores


@pytest.fixture
def make_config(tmp_path):
    def make(**changes) -> ClassifierConfig:
        settings = {
            "output_dir": str(tmp_path / "run"), "data": "digits", "hidden_sizes": [24, 16], "dropout": 0.2,
            "max_steps": 24, "total_batch_size": 32, "per_device_train_batch_size": 16, "learning_rate": 5e-3,
            "warmup_steps": 2, "eval_steps": 8, "logging_steps": 1, "save_steps": 8, "threads": 1, "train_figures": 100,
        }  # fmt: skip
        return ClassifierConfig(**{**settings, **changes})

    return make


def log_without_times(folder):
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


def published(folder):
    model = new_image_classifier("mlp", 0, hidden_sizes=[24, 16], dropout=0.2)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model


def test_the_folder_holds_a_model_its_code_figures_and_what_was_measured(make_config, tmp_path):
    manifest = train_classifier(make_config())
    folder = tmp_path / "run"
    for name in ("config.json", "model.safetensors", "preprocessor_config.json", "modeling_mlp.py",
                 "configuration_mlp.py", "image_processing_digits.py", "README.md", "figures/loss.png",
                 "figures/accuracy.png", "figures/confusion.png", "figures/mistakes.png", "figures/first_layer.png",
                 "figures/calibration.png"):  # fmt: skip
        assert name in manifest["files"], name
    assert read_manifest(folder) == json.loads(json.dumps(manifest))
    assert manifest["data"]["train_images"] + manifest["data"]["validation_images"] == 1438
    test, data = manifest["metrics"]["test"], read_images("digits")
    assert test["accuracy"] == classification_scores(published(folder), data.test)["accuracy"]
    assert test["images"] == len(data.test) == manifest["data"]["test_images"]
    assert test["interval_95"][0] < test["accuracy"] < test["interval_95"][1]
    assert {"validation_accuracy", "train_accuracy", "train_loss"} <= log_without_times(folder)[-1].keys()

    card = ModelCard.load(folder / "README.md")
    assert card.data.eval_results[0].metric_value == pytest.approx(test["accuracy"], abs=1e-4)
    assert card.data.pipeline_tag == "image-classification"
    assert f"{test['accuracy']:.2%}" in card.text
    assert "{{" not in card.text
    assert "trust_remote_code=True" in card.text


def test_the_best_weights_by_validation_are_published(make_config, tmp_path, monkeypatch):
    losses = iter([3.0, 2.0, 2.5])
    monkeypatch.setattr(ImageClassification, "evaluate", lambda task, model: {"validation_loss": next(losses)})
    manifest = train_classifier(make_config())
    assert manifest["metrics"]["validation"]["step"] == manifest["metrics"]["test"]["step"] == 16
    assert manifest["metrics"]["validation_last"]["step"] == 24
    kept = load_file(tmp_path / "run" / "checkpoints" / "step-000024" / "best.safetensors")
    assert all(torch.equal(tensor, kept[name]) for name, tensor in published(tmp_path / "run").state_dict().items())


def test_without_a_validation_part_the_last_weights_are_published_and_the_card_says_so(make_config, tmp_path):
    manifest = train_classifier(make_config(validation_fraction=0))
    assert manifest["data"] | {"train_images": 1438, "validation_images": 0} == manifest["data"]
    assert manifest["metrics"]["validation"] == {"step": 24}
    last = load_file(tmp_path / "run" / "checkpoints" / "step-000024" / "model.safetensors")
    assert all(torch.equal(tensor, last[name]) for name, tensor in published(tmp_path / "run").state_dict().items())
    assert "the published weights are the last ones" in (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert verify(tmp_path / "run").answer == "identical"


def test_the_test_set_is_not_looked_at_while_settings_are_chosen(make_config, monkeypatch):
    data = read_images("digits")
    seen = []
    scores = classification_scores

    def spy(model, images):
        seen.append(len(images))
        return scores(model, images)

    monkeypatch.setattr("hf_llm.recipes.classifier.classification_scores", spy)
    monkeypatch.setattr("hf_llm.training.image_classification.classification_scores", spy)
    assert "test" not in train_classifier(make_config(test=False))["metrics"]
    assert len(data.test) not in seen
    train_classifier(make_config(output_dir=make_config().output_dir + "-final"))
    assert seen.count(len(data.test)) == 1


def test_a_smaller_training_set_is_drawn_by_the_seed(make_config):
    manifest = train_classifier(make_config(train_images=64))
    assert manifest["data"]["train_images"] == 64


def test_resuming_after_any_step_gives_the_same_bits(make_config, tmp_path, monkeypatch):
    """Dropout, augmentation, batch norm's statistics, accumulation, an epoch's edge at step 2."""
    settings = {
        "max_steps": 6, "eval_steps": 3, "save_steps": 1, "save_total_limit": 1, "train_images": 64,
        "batch_norm": True, "max_shift": 1.0, "elastic": 0.5, "max_weight_norm": 1.0,
    }  # fmt: skip
    whole = train_classifier(make_config(**settings, output_dir=str(tmp_path / "whole")))

    class Killed(Exception):
        pass

    for step in range(1, 6):
        save = Run.save

        def save_and_die(run, state, *rest, last=step, save=save, **more):
            save(run, state, *rest, **more)
            if state["step"] == last:
                raise Killed

        config = make_config(**settings, output_dir=str(tmp_path / f"from-{step}"))
        with monkeypatch.context() as patch:
            patch.setattr(Run, "save", save_and_die)
            with pytest.raises(Killed):
                train_classifier(config)
        again = train_classifier(config)
        assert again["resumed_from"] == [step]
        assert again["files"]["model.safetensors"] == whole["files"]["model.safetensors"]
        assert log_without_times(tmp_path / f"from-{step}") == log_without_times(tmp_path / "whole")


def test_a_finished_run_is_reported_and_verified_and_another_config_refused(make_config, tmp_path, capsys):
    config = make_config(model="lenet", hidden_sizes=None, max_steps=8)
    first = train_classifier(config)
    assert "figures/convolution.png" in first["files"]
    capsys.readouterr()
    assert train_classifier(config)["files"] == first["files"]
    assert "95 % interval" in capsys.readouterr().out
    assert verify(tmp_path / "run").answer == "identical"
    with pytest.raises(UserError, match=r"another run \(dropout: 0.2 → 0.3\)"):
        train_classifier(dataclasses.replace(config, dropout=0.3))


def test_a_run_of_an_earlier_version_is_resumed_reported_and_verified(make_config, tmp_path, monkeypatch):
    """Its run.json knows `max_norm` and `log_samples`, and none of the names that came later."""

    def as_earlier():
        manifest = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
        config = {("max_norm" if name == "max_weight_norm" else name): it for name, it in manifest["config"].items()}
        config["log_samples"] = False
        (tmp_path / "run" / "run.json").write_text(json.dumps({**manifest, "config": config}), encoding="utf-8")

    config = make_config(max_weight_norm=1.0)
    publish = "hf_llm.recipes.classifier.publish"
    with monkeypatch.context() as patch:
        patch.setattr(publish, Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train_classifier(config)
    as_earlier()
    manifest = train_classifier(config)
    assert manifest["resumed_from"] == [24]
    as_earlier()
    assert train_classifier(config)["files"] == manifest["files"]
    assert verify(tmp_path / "run").answer == "identical"


def test_verify_notices_another_file(make_config, tmp_path):
    train_classifier(make_config(max_steps=8))
    (tmp_path / "run" / "modeling_mlp.py").write_text("import os\n", encoding="utf-8")
    verdict = verify(tmp_path / "run")
    assert verdict.answer == "different"
    assert "modeling_mlp.py" in verdict.reasons[0]
