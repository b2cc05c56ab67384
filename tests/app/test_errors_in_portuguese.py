"""What a page refuses, it refuses in the reader's language: also what the library below it says."""

import copy
import json
import re
import shutil
from pathlib import Path

import gradio as gr
import pytest

from hf_llm.app.config import AppConfig
from hf_llm.app.guarded import guarded
from hf_llm.app.page import App
from hf_llm.app.pages.discussion import answers as discussion
from hf_llm.app.pages.experiment import answers as experiment
from hf_llm.app.pages.foundations import answers as foundations
from hf_llm.app.pages.generate import answers as generate
from hf_llm.app.pages.inside import answers as inside
from hf_llm.app.pages.mnist import answers as mnist
from hf_llm.app.pages.mnist.pictures import as_picture, examples
from hf_llm.app.pages.tokenizer import answers as tokenizer
from hf_llm.app.pages.train import answers as train
from hf_llm.app.pages.train.recipe import preset_values
from hf_llm.app.server.library import LanguageModel, Library
from hf_llm.app.server.trainings import Trainings
from hf_llm.data import find

ENGLISH = re.compile(
    r"\b(?:the|is|are|must|not|of|and|with|this|there|cannot|choose|its|from|was|holds?|no such|it)\b", re.IGNORECASE
)  # fmt: skip
LONG = "a" * 30_000
ONE = {"model": "story", "other": "story", "compare": False, "prompt": "O gato", "greedy": False, "temperature": 1.0,
       "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "seed": 0}  # fmt: skip
INSIDE = {"model": "story", "text": "O gato", "part": "prediction", "layer": 0, "head": 0, "token": -1,
          "key": -1, "step": "softmax", "place": "mixed", "shuffle": 1, "off": "nothing"}  # fmt: skip
CLICK = {"choice": "more:1", "text": "O gato", "model": "story", "layer": 0, "head": 0, "off": "nothing"}
MNIST = {"find": True, "left": "mlp", "right": "lenet", "feature_map": 0, "row": 1, "column": 1}
NEW = {**preset_values("demo", 1000), "corpus": "sample", "own": "", "title": "", "owner": ""}
TRAINING = {"model": "mlp", "data": "digits", "steps": 5, "learning_rate": 0.1, "dropout": 0, "train_images": 0}

# each is a page's handler and what it is given
REFUSED = {
    "surrogate": (tokenizer.show_encodings, {"text": "a\ud800", "tokenizers": ["story"]}),
    "long": (tokenizer.show_encodings, {"text": LONG, "tokenizers": ["story"]}),
    "unknown tokenizer": (tokenizer.show_encodings, {"text": "a", "tokenizers": ["../x"]}),
    "damaged tokenizer": (tokenizer.show_encodings, {"text": "a", "tokenizers": ["no-tokenizer"]}),
    "foreign tokenizer": (tokenizer.show_encodings, {"text": "a", "tokenizers": ["other-tokenizer"]}),
    "empty own text": (tokenizer.train, {"corpus": "own", "own": " ", "vocab_size": 300}),
    "vocabulary": (tokenizer.train, {"corpus": "sample", "own": "", "vocab_size": 20}),
    "missing data": (tokenizer.train, {"corpus": "the-verdict", "own": "", "vocab_size": 300}),
    "other surrogate": (tokenizer.show_applied, {"merges": [{"pair": ("a", "b")}], "step": 1, "other": "\ud800"}),
    **{
        f"{name} {value}": (generate.write, {**ONE, "max_new_tokens": 3, name: value})
        for name, value in [
            ("temperature", 0.0),
            ("repetition_penalty", 1e6),
            ("top_k", -1),
            ("top_p", 0.0),
            ("seed", -1),
            ("max_new_tokens", 0),
            ("max_new_tokens", 10_000),
            ("prompt", LONG),
            ("prompt", "\ud800"),
            ("model", "../x"),
            ("model", "damaged"),
            ("model", "code"),
            ("model", "diverged"),
            ("model", "small"),
        ]
    },
    "next token": (generate.show_next_tokens, {**ONE, "model": "diverged"}),
    "expected": (generate.show_expected, {"choice": "0", "model": "../x", "scored": "a"}),
    **{
        f"inside {name} {value}": (inside.show, {**INSIDE, name: value})
        for name, value in [
            ("text", ""),
            ("text", LONG),
            ("text", "\ud800"),
            ("model", "../x"),
            ("model", "damaged"),
            ("model", "diverged"),
            ("model", "small"),
            ("model", "unpublished"),
        ]
    },
    "one more token": (inside.choose_in_picture, {**CLICK, "model": "diverged"}),
    "no room": (inside.choose_in_picture, {**CLICK, "text": "O gato " * 60}),
    **{
        f"picture {number}": (mnist.show_all, {**MNIST, "drawing": drawing})
        for number, drawing in enumerate(["", "x" * 300_000, "iVBORw0KGgo="])
    },
    "no classifier": (mnist.show_all, {**MNIST, "drawing": as_picture(examples("digits")[0]), "left": "../x"}),
    "damaged classifier": (mnist.show_all, {**MNIST, "drawing": as_picture(examples("digits")[0]), "left": "broken"}),
    "no cell": (mnist.choose_cell, {"choice": "99,0"}),
    "no example": (mnist.choose_example, {"choice": "x"}),
    "impossible training": (mnist.start, {**TRAINING, "owner": ""}),
    "out of bounds": (train.begin, {**NEW, "dropout": 2.0}),
    "unknown size": (train.begin, {**NEW, "model": "xl"}),
    "no own text": (train.begin, {**NEW, "corpus": "own"}),
    "as many models as may be kept": (train.begin, NEW),
    "damaged result": (foundations.show_example, {"example": "dead_relu"}),
    "unknown experiment": (discussion.discuss, {"name": "x"}),
    "no result": (discussion.discuss, {"name": "losses"}),
}


@pytest.fixture(scope="module")
def faulty(runs, tmp_path_factory) -> App:
    """An app with runs that are damaged in one way each, no data of its own, and no place for a training."""
    folder, results = tmp_path_factory.mktemp("faulty"), tmp_path_factory.mktemp("results")
    for name in ("story", "damaged", "no-tokenizer", "other-tokenizer", "code"):
        shutil.copytree(runs / "story", folder / name)
    for name, kind in (("mlp", "mlp"), ("lenet", "lenet"), ("broken", "mlp")):
        shutil.copytree(runs / kind, folder / name)
    for name in ("damaged", "broken"):
        (folder / name / "model.safetensors").write_bytes(b"no tensors")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / "no-tokenizer" / file).unlink()
    path = folder / "other-tokenizer" / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    path = folder / "code" / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(settings | {"attn_implementation": "evil/kernel"}), encoding="utf-8")
    (results / "activations").mkdir()
    (results / "activations" / "result.json").write_text("{")
    library = Faulty(folder, [])
    return App(AppConfig(runs=str(folder), results=str(results)), library, Trainings(folder, 0, 1, most=0), ("home",))


class Faulty(Library):
    """A library with models that no run folder holds."""

    def language_models(self) -> list[str]:
        return [*super().language_models(), "diverged", "small", "unpublished"]

    def language_model(self, name: str) -> LanguageModel:
        if name not in ("diverged", "small", "unpublished"):
            return super().language_model(name)
        story = super().language_model("story")
        model = copy.deepcopy(story.model)
        if name == "diverged":
            model.transformer.ln_f.weight.data[0] = float("nan")
        elif name == "small":
            model.resize_token_embeddings(100)
        else:
            model.config.activation_function = "relu"
        return LanguageModel(name, model, story.tokenizer)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_portuguese(faulty, monkeypatch, tmp_path, name):
    handler, given = REFUSED[name]
    if name == "missing data":
        for variable in ("HF_LLM_DATA_DIR", "XDG_CACHE_HOME"):
            monkeypatch.setenv(variable, str(tmp_path))
        monkeypatch.chdir(tmp_path)
    said = refusal(guarded(handler, faulty), {**given, "lang": "pt-BR"})
    # names of files, settings and what a library below said in brackets are no language
    text = re.sub(r"\([^()]*\)|'[^']*'|/\S+|\w+_\w+|model\.safetensors|the-verdict", "", said)
    assert len(text) > 15
    assert not ENGLISH.search(text), text


def refusal(handler, given: dict) -> str:
    """Return the message that a page shows: an error, or a message where a view should be."""
    try:
        answer = handler(**given)
        for last in answer if hasattr(answer, "__next__") else [answer]:
            answer = last
    except gr.Error as error:
        return error.message
    shown = answer["picture"] if isinstance(answer, dict) else answer[0]
    assert 'class="message bad"' in shown, shown[:200]
    return re.sub("<[^>]+>", "", shown)


def test_the_short_version_says_in_portuguese_what_it_cannot(faulty):
    (said,) = experiment.run_quick(faulty, "x", "pt-BR")
    assert "Não há nenhum experimento" in said


def test_the_search_would_find_english():
    assert ENGLISH.search("The model is not there")
    assert Path(find("sample")[0]).is_file()
