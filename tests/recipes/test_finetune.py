"""The fine-tuning job, both kinds: the run folder, what transformers alone makes of it, resuming, verifying."""

import dataclasses
import json
import subprocess
import sys

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, pipeline

from hf_llm.config import UserError
from hf_llm.data import read_messages, split_messages
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.models.loading import model_sha256
from hf_llm.recipes.finetune import finetune
from hf_llm.recipes.finetune_config import FinetuneConfig
from hf_llm.recipes.finetune_inputs import read_inputs
from hf_llm.recipes.pretrain import pretrain
from hf_llm.recipes.verify import verify
from hf_llm.runs.log import TIMES
from hf_llm.runs.manifest import read_manifest
from hf_llm.runs.run import Run
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.training.config import PretrainConfig

CORPUS = "It was a small town, and the clock in its tower was never right. Nobody minded; the bells rang anyway. " * 12
KINDS = ["text-classification", "text-generation"]
METHODS = [(KINDS[0], "full"), (KINDS[0], "head"), (KINDS[0], "lora"), (KINDS[1], "full"), (KINDS[1], "lora")]
SHORT = {"max_steps": 2, "warmup_steps": 1, "total_batch_size": 4, "per_device_train_batch_size": 4, "threads": 1,
         "precision": "fp32"}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A run folder with a tiny GPT-2."""
    folder = tmp_path_factory.mktemp("base") / "gpt2"
    shape = {"model": "nano", "vocab_size": 300, "n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 16}
    pretrain(PretrainConfig(output_dir=str(folder), corpus="sample", sample_tokens=2, eval_tokens=64, **shape, **SHORT))
    return folder


@pytest.fixture
def make_config(base, labelled_file, tmp_path):
    (tmp_path / "town.txt").write_text(CORPUS, encoding="utf-8")

    def make(task=KINDS[0], **changes) -> FinetuneConfig:
        settings = {
            "output_dir": str(tmp_path / "run"), "model": str(base), "task": task, "max_steps": 6, "warmup_steps": 1,
            "data": str(labelled_file if task == KINDS[0] else tmp_path / "town.txt"), "total_batch_size": 8,
            "per_device_train_batch_size": 4, "learning_rate": 5e-3, "eval_steps": 3, "logging_steps": 1,
            "save_steps": 3, "threads": 1, "eval_tokens": 64, "sample_tokens": 3, "lora_rank": 2,
        }  # fmt: skip
        return FinetuneConfig(**{**settings, **changes})

    return make


def log_without_times(folder):
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


@pytest.mark.parametrize(("task", "method"), METHODS)
def test_the_folder_holds_what_was_measured_and_the_base_is_named_and_hashed(make_config, base, tmp_path, task, method):
    manifest = finetune(make_config(task, method=method))
    folder, metrics = tmp_path / "run", manifest["metrics"]
    for name in ("config.json", "model.safetensors", "tokenizer.json", "README.md", "figures/loss.png"):
        assert name in manifest["files"], name
    assert not any("adapter" in name for name in manifest["files"])
    assert read_manifest(folder) == json.loads(json.dumps(manifest))
    assert manifest["base"] == {"name": str(base), "sha256": model_sha256(base), "kind": "gpt2"}
    assert metrics["before"]["step"] == 0
    assert metrics["validation"]["loss"] < metrics["before"]["loss"]
    assert manifest["model"]["trained_parameters"] <= manifest["model"]["parameters"]
    assert (manifest["model"]["trained_parameters"] == manifest["model"]["parameters"]) == (method == "full")

    card = ModelCard.load(folder / "README.md")
    assert card.data.pipeline_tag == task
    assert card.data.base_model is None  # no Hub id
    assert f"**{base.name}**" in card.text
    assert str(base) not in card.text  # of this machine's folders no more than the last name
    assert manifest["base"]["sha256"][:16] in card.text
    assert "{" not in card.text.split("```")[2]
    part, metric = ("test", "accuracy") if task == KINDS[0] else ("validation", "bits_per_byte")
    assert card.data.eval_results[0].metric_value == pytest.approx(metrics[part][metric], abs=1e-4)
    if task == KINDS[0]:
        assert {"figures/confusion.png", "figures/accuracy.png"} <= manifest["files"].keys()
        assert manifest["data"]["duplicates"] == 2
        assert manifest["data"]["classes"] == ["ham", "spam"]
        counts = [manifest["data"][f"{part}_messages"] for part in ("train", "validation", "test")]
        assert sum(counts) == 96
        assert metrics["test"]["messages"] == counts[2]


def test_transformers_alone_loads_a_classifier_and_gets_the_measured_accuracy(make_config, tmp_path):
    correct = {}
    for method in ("full", "head", "lora"):
        config = make_config(
            method=method, max_steps=150, learning_rate=1e-2, eval_steps=50, save_steps=100,
            output_dir=str(tmp_path / method),
        )  # fmt: skip
        correct[method] = finetune(config)["metrics"]["test"]["correct"]
    source = """
import json, sys
from transformers import pipeline
texts = json.loads(sys.stdin.read())
pipelines = [pipeline("text-classification", model=folder, truncation=True) for folder in sys.argv[1:]]
assert "hf_llm" not in sys.modules and "peft" not in sys.modules
print(json.dumps([[answer["label"] for answer in classify(texts)] for classify in pipelines]))
"""
    test = split_messages(read_messages(config.data).messages, config.seed)["test"]
    command = [sys.executable, "-c", source, *(str(tmp_path / method) for method in correct)]
    done = subprocess.run(command, input=json.dumps(test.texts), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for (method, expected), answers in zip(correct.items(), json.loads(done.stdout.splitlines()[-1])):
        assert expected == sum(answer == test.classes[label] for answer, label in zip(answers, test.labels)), method
    assert correct["full"] > 0.8 * len(test)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_transformers_alone_loads_a_language_model_and_gets_the_measured_loss(make_config, tmp_path, method):
    config = make_config(KINDS[1], method=method)
    manifest = finetune(config)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "run").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run")
    corpus = read_inputs(config).data
    scores = evaluate_tokens(model, corpus.validation.shards[0], token_byte_lengths(tokenizer), 8, 16)
    assert scores.bits_per_byte == pytest.approx(manifest["metrics"]["validation"]["bits_per_byte"], rel=1e-6)
    assert pipeline("text-generation", model=str(tmp_path / "run"))("It was", max_new_tokens=2)


def test_the_published_weights_are_the_best_and_frozen_ones_are_the_bases_own(make_config, base, tmp_path):
    finetune(make_config(method="head"))
    published, original = load_file(tmp_path / "run" / "model.safetensors"), load_file(base / "model.safetensors")
    kept = {name for name in published if name != "score.weight"}
    assert kept
    assert all(torch.equal(published[name], original[name]) for name in kept)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run")
    assert model.config.id2label == {0: "ham", 1: "spam"}
    assert model.config.label2id == {"ham": 0, "spam": 1}


class Killed(Exception):
    """The process ends right after a checkpoint."""


@pytest.mark.parametrize(("task", "method"), METHODS)
def test_resuming_after_any_step_gives_the_same_bits(make_config, tmp_path, monkeypatch, task, method):
    settings = {"method": method, "max_steps": 4, "eval_steps": 2, "save_steps": 1, "save_total_limit": 1}
    whole = finetune(make_config(task, **settings, output_dir=str(tmp_path / "whole")))
    for step in range(1, 4):
        save = Run.save

        def save_and_die(run, state, *rest, last=step, save=save, **more):
            save(run, state, *rest, **more)
            if state["step"] == last:
                raise Killed

        config = make_config(task, **settings, output_dir=str(tmp_path / f"from-{step}"))
        with monkeypatch.context() as patch:
            patch.setattr(Run, "save", save_and_die)
            with pytest.raises(Killed):
                finetune(config)
        again = finetune(config)
        assert again["resumed_from"] == [step]
        assert again["files"]["model.safetensors"] == whole["files"]["model.safetensors"]
        assert again["metrics"] == whole["metrics"]
        assert log_without_times(tmp_path / f"from-{step}") == log_without_times(tmp_path / "whole")


@pytest.mark.parametrize(("task", "method"), [METHODS[2], METHODS[3]])
def test_a_finished_run_is_reported_and_verified_and_another_config_refused(
    make_config, tmp_path, capsys, task, method
):
    config = make_config(task, method=method)
    first = finetune(config)
    capsys.readouterr()
    assert finetune(config)["files"] == first["files"]
    assert ("95 % interval" if task == KINDS[0] else "bits per byte before") in capsys.readouterr().out
    assert verify(tmp_path / "run").answer == "identical"
    with pytest.raises(UserError, match=r"another run \(learning_rate: 0.005 → 0.1\)"):
        finetune(dataclasses.replace(config, learning_rate=0.1))


def test_another_base_under_the_same_name_is_noticed(make_config, base, tmp_path):
    """By resuming, which refuses it, and by verifying."""
    import shutil

    moved = shutil.copytree(base, tmp_path / "base")
    config = make_config(model=str(moved))
    finetune(config)
    weights = load_file(moved / "model.safetensors")
    save_file({name: tensor * 1.01 for name, tensor in weights.items()}, moved / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="holds another run"):
        finetune(config)
    verdict = verify(tmp_path / "run")
    assert verdict.answer == "different"
    assert verdict.reasons == ["base has another SHA-256"]


def test_fewer_labels_and_no_look_at_the_test_part(make_config):
    manifest = finetune(make_config(train_messages=8, test=False, max_steps=2))
    assert manifest["data"]["train_messages"] == 8
    assert "test" not in manifest["metrics"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"task": KINDS[1], "method": "head"}, "method head trains a classifier's last layer"),
        ({"validation_fraction": 0.6, "test_fraction": 0.5}, "are 1.1 together"),
        ({"lora_rank": 0}, "lora_rank must be at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(make_config, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        make_config(**changes)


def test_a_pad_token_without_a_row_in_the_model_pads_nothing(make_config, base, tmp_path):
    folder = tmp_path / "padded"
    AutoModelForCausalLM.from_pretrained(base).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    tokenizer.save_pretrained(folder)
    inputs = read_inputs(make_config(model=str(folder)))
    assert inputs.tokenizer.pad_token_id == inputs.tokenizer.eos_token_id < inputs.model.config.vocab_size


def test_a_context_beyond_the_models_and_a_model_that_is_none_are_refused(make_config, tmp_path):
    with pytest.raises(UserError, match="n_positions 17 is more than the 16 tokens"):
        finetune(make_config(n_positions=17))
    with pytest.raises(UserError, match=r"holds no config\.json"):
        finetune(make_config(model=str(tmp_path)))
    assert not (tmp_path / "run").exists()
