"""What the app offers, and that nothing else can be loaded through it."""

import json
import os
import shutil

import pytest
from safetensors.torch import load_file, save_file
from two_models import copy_two_models

from hf_llm.app.server.library import KEPT, LanguageModel, Library
from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.tokenization.tokenizer import train_bpe


@pytest.fixture
def library(runs) -> Library:
    return Library(runs, [])


def test_finished_runs_are_offered_by_their_kind(library):
    assert library.language_models() == ["story"]
    assert set(library.image_classifiers()) == {"mlp", "lenet"}


def test_the_newest_is_first_and_an_unfinished_or_damaged_one_is_left_out(runs, tmp_path):
    for name in ("old", "below/new", "unfinished", "damaged"):
        shutil.copytree(runs / "story", tmp_path / name)
    manifest = json.loads((tmp_path / "unfinished/run.json").read_text())
    del manifest["metrics"]
    (tmp_path / "unfinished/run.json").write_text(json.dumps(manifest))
    (tmp_path / "damaged/run.json").write_text("{")
    (tmp_path / "below/new/run.json").touch()
    assert Library(tmp_path, []).language_models() == ["below/new", "old"]


def test_a_fine_tuned_model_is_offered_for_what_it_does(runs, tmp_path):
    for task in ("text-generation", "text-classification"):
        shutil.copytree(runs / "story", tmp_path / task)
        manifest = json.loads((tmp_path / task / "run.json").read_text())
        manifest |= {"job": "finetuning", "config": {"task": task}}
        (tmp_path / task / "run.json").write_text(json.dumps(manifest))
    library = Library(tmp_path, [])
    assert library.language_models() == ["text-generation"]
    assert library.image_classifiers() == []
    assert library.language_model("text-generation").model.config.model_type == "gpt2"


def test_a_model_that_learned_the_readers_language_is_first(runs, tmp_path):
    copy_two_models(runs, tmp_path)
    library = Library(tmp_path, ["openai-community/gpt2"])
    assert library.language_models() == ["newer", "casmurro", "openai-community/gpt2"]
    assert library.language_models("pt-BR") == ["casmurro", "newer", "openai-community/gpt2"]
    os.utime(tmp_path / "casmurro" / "run.json")  # now it is the newest
    assert library.language_models() == ["casmurro", "newer", "openai-community/gpt2"]
    assert library.language_models("en") == ["newer", "casmurro", "openai-community/gpt2"]
    assert [library.data(name) for name in library.language_models("en")] == ["sample", "dom-casmurro", None]


@pytest.mark.parametrize("name", ["", "..", "../story", "/etc", "story/../story", "nobody/nothing", "mlp"])
def test_only_what_is_offered_is_loaded(library, name):
    with pytest.raises(UserError, match="There is no model called"):
        library.language_model(name)


def test_a_hub_id_must_be_allowed(runs):
    assert Library(runs, ["openai-community/gpt2"]).language_models() == ["story", "openai-community/gpt2"]


def test_a_model_is_loaded_once_and_again_when_it_was_trained_anew(runs, tmp_path):
    shutil.copytree(runs / "story", tmp_path / "story")
    library = Library(tmp_path, [])
    first = library.language_model("story")
    assert library.language_model("story") is first
    (tmp_path / "story/run.json").write_bytes((runs / "story/run.json").read_bytes())
    assert library.language_model("story") is not first


def test_only_some_stay_in_memory(runs, tmp_path):
    for number in range(KEPT + 2):
        shutil.copytree(runs / "mlp", tmp_path / f"mlp{number}")
    library = Library(tmp_path, [])
    for name in library.image_classifiers():
        library.image_classifier(name)
    assert len(library._loaded) == KEPT


def test_a_damaged_model_is_refused(runs, tmp_path):
    shutil.copytree(runs / "mlp", tmp_path / "mlp")
    (tmp_path / "mlp/model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(UserError, match="cannot be loaded"):
        Library(tmp_path, []).image_classifier("mlp")


def test_a_classifier_whose_weights_are_not_its_configs_is_refused_in_both_languages(runs, tmp_path):
    shutil.copytree(runs / "mlp", tmp_path / "mlp")
    file = tmp_path / "mlp" / "model.safetensors"
    weights = load_file(file)
    name = max(weights)
    library = Library(tmp_path, [])
    save_file({key: tensor for key, tensor in weights.items() if key != name}, file, metadata={"format": "pt"})
    with pytest.raises(UserError, match="lacks tensors of its model: 1, ") as error:
        library.image_classifier("mlp")
    assert ": 1, a começar por " in error.value.in_language("pt-BR")
    save_file({**weights, name: weights[name][:1].clone()}, file, metadata={"format": "pt"})
    with pytest.raises(UserError, match="has the shape"):
        library.image_classifier("mlp")


def test_a_classifier_that_asks_for_a_kernel_of_the_hub_is_refused_in_both_languages(runs, tmp_path):
    folder = shutil.copytree(runs / "mlp", tmp_path / "mlp")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"attn_implementation": "evil/kernel"}), encoding="utf-8")
    with pytest.raises(UserError, match="asks for 'evil/kernel' on the Hub") as error:
        Library(tmp_path, []).image_classifier("mlp")
    assert "manda buscar 'evil/kernel' no Hub" in error.value.in_language("pt-BR")


def test_a_model_is_made_ready_to_be_looked_into_once_and_not_with_a_foreign_tokenizer(library):
    story = library.language_model("story")
    assert story.explained is story.explained
    larger = train_bpe(read_text("sample").text, 400)
    with pytest.raises(UserError, match="another model's tokenizer"):
        _ = LanguageModel("other", story.model, larger).explained
