"""The pretraining job in this process: trackers, the card, the best weights, other environments."""

import errno
import json
import os
import tempfile

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from hf_llm.config import UserError, typed
from hf_llm.data import read_text, split_text
from hf_llm.evaluation.baselines import baselines
from hf_llm.recipes.pretrain import pretrain, read_inputs
from hf_llm.recipes.report import language_model_report, prompt_to_try
from hf_llm.recipes.verify import verify
from hf_llm.runs.manifest import command_for_others, read_manifest
from hf_llm.training.causal_lm import CausalLM


@pytest.fixture
def finished(make_config, tmp_path, monkeypatch):
    """A finished run of twelve steps whose second evaluation, at step 8, is said to be the best."""
    losses = iter([3.0, 2.0, 2.5])
    monkeypatch.setattr(
        CausalLM, "evaluate", lambda task, model: {"validation_loss": next(losses), "bits_per_byte": 1.0}
    )
    config = make_config(output_dir=str(tmp_path / "run"), n_embd=32, max_steps=12, eval_steps=4, eval_stride=4)
    return pretrain(config), tmp_path / "run", config


def test_the_best_weights_are_published_and_the_last_ones_reported(finished):
    manifest, folder, _ = finished
    best, last = manifest["metrics"]["validation"], manifest["metrics"]["validation_last"]
    assert (best["step"], last["step"]) == (8, 12)
    assert best["bits_per_byte"] != last["bits_per_byte"]
    published = load_file(folder / "model.safetensors")
    kept = load_file(folder / "checkpoints" / "step-000012" / "best.safetensors")
    assert all(torch.equal(published[name], tensor) for name, tensor in kept.items() if name in published)
    assert all(tensor.dtype == torch.float32 for tensor in published.values())


def test_the_card_has_valid_metadata_and_the_measured_figures(finished):
    manifest, folder, _ = finished
    card = ModelCard.load(folder / "README.md")
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results["bits_per_byte"] == pytest.approx(manifest["metrics"]["validation"]["bits_per_byte"], abs=1e-4)
    assert f"{manifest['metrics']['validation']['bits_per_byte']:.4f}" in card.text
    assert command_for_others(manifest["command"]) in card.text
    assert str(folder) not in card.text  # where it lies on this machine is nobody's business
    assert "{{" not in card.text


def test_what_it_prints_next_fits_the_corpus_and_the_command(finished, make_config):
    manifest, folder, config = finished
    corpus, _ = read_inputs(config)
    assert prompt_to_try(corpus, "I had always thought") == manifest["sample"]["to_try"] != ""
    assert manifest["sample"]["to_try"] in read_text("sample").text
    assert prompt_to_try(corpus, "seu Firmino") == "seu Firmino"
    manifest["command"] = 'hf-llm pretrain --corpus sample --output_dir "my runs/x" --model nano'
    said = language_model_report(folder, manifest)
    assert typed("hf-llm", "generate", "--model", folder, "--prompt", manifest["sample"]["to_try"]) in said
    assert "hf-llm pretrain --corpus sample --model nano --n_layer 2 --output_dir runs/mine" in said
    assert "I had always thought" not in said
    assert "verdict" not in said
    manifest["command"] = "hf-llm demo"
    said = language_model_report(folder, manifest)
    assert "hf-llm pretrain --config gpt2/verdict --corpus sample --n_layer 2" in said
    assert f"hf-llm verify {folder}" in said


def test_what_needs_no_net_stands_beside_the_models_figure(finished):
    manifest, folder, _ = finished
    metrics, (train, test) = manifest["metrics"], split_text(read_text("sample").text)
    assert metrics["baselines"] == baselines(train.encode("utf-8"), test.encode("utf-8"))
    low, high = metrics["validation"]["bits_per_byte_interval_95"]
    assert low < metrics["validation"]["bits_per_byte"] < high
    ngram, compressor = metrics["baselines"]["ngram"], metrics["baselines"]["compressor"]
    said, card = language_model_report(folder, manifest), ModelCard.load(folder / "README.md").text
    assert f"{ngram['bits_per_byte']:.3f} a byte {ngram['order']}-gram" in said
    assert f"{compressor['bits_per_byte']:.3f} LZMA" in said
    assert f"{low:.3f} to {high:.3f}" in said
    for figure in (f"{ngram['bits_per_byte']:.4f}", f"{compressor['bits_per_byte']:.4f}", f"[{low:.3f}; {high:.3f}]"):
        assert figure in card
        assert figure.replace(".", ",") in card  # in Portuguese


def test_a_run_of_an_earlier_version_has_its_report_without_them(finished):
    manifest, folder, _ = finished
    earlier = json.loads(json.dumps(manifest))
    del earlier["metrics"]["baselines"], earlier["metrics"]["validation"]["bits_per_byte_interval_95"]
    said = language_model_report(folder, earlier)
    assert "validation" in said
    assert "LZMA" not in said


def test_the_manifest_can_be_read_again(finished):
    manifest, folder, _ = finished
    assert json.loads(json.dumps(manifest)) == read_manifest(folder)


def test_verify_calls_a_small_difference_equal_only_on_another_environment(finished, monkeypatch):
    manifest, folder, _ = finished

    def repeat(_manifest, _folder):
        again = json.loads(json.dumps(manifest))
        again["files"]["model.safetensors"] = "0" * 64
        again["metrics"]["validation"]["loss"] *= 1 + drift
        again["environment"]["versions"]["torch"] = version
        return again

    monkeypatch.setattr("hf_llm.recipes.verify._repeat", repeat)
    drift, version = 5e-4, "0.0"
    assert verify(folder).answer == "equal"
    assert any("torch" in reason for reason in verify(folder).reasons)
    drift = 2e-3
    assert verify(folder).answer == "different"
    drift, version = 5e-4, manifest["environment"]["versions"]["torch"]
    assert verify(folder).answer == "different"


def test_tensorboard_gets_the_numbers(make_config, tmp_path):
    config = make_config(output_dir=str(tmp_path / "run"), n_embd=32, max_steps=3, report_to=["tensorboard"])
    pretrain(config)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = [path.parent for path in (tmp_path / "run").rglob("events.out.tfevents*")]
    scalars = set()
    for folder in events:
        accumulator = EventAccumulator(str(folder))
        accumulator.Reload()
        scalars |= set(accumulator.Tags()["scalars"])
    assert {"loss", "learning_rate", "validation_loss"} <= scalars


def test_a_text_shorter_than_a_context_gets_a_sentence(make_config):
    from hf_llm.data import Text

    with pytest.raises(UserError, match="fewer than one context of 16"):
        read_inputs(make_config(), Text("tiny", "abcdefgh", "0"))


def test_a_run_whose_parent_is_closed_is_repeated_elsewhere(finished, tmp_path, monkeypatch):
    manifest, folder, _ = finished
    where, mkdtemp, elsewhere = [], tempfile.mkdtemp, tmp_path / "elsewhere"
    elsewhere.mkdir()

    def closed(prefix, dir=None):
        if dir is not None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(dir))
        return mkdtemp(prefix=prefix, dir=elsewhere)

    monkeypatch.setattr(tempfile, "mkdtemp", closed)
    monkeypatch.setattr("hf_llm.recipes.verify._repeat", lambda _, place: where.append(place) or manifest)
    assert verify(folder).answer == "identical"
    assert where[0].parent.parent == elsewhere
    assert list(elsewhere.iterdir()) == []
