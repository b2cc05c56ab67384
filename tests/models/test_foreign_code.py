"""The rule about foreign code, and loading by it: nothing that came with a model runs, whatever names it."""

import json
import shutil

import pytest
import torch
from foreign_settings import NAMED, REFUSED

from hf_llm.config import UserError
from hf_llm.models.foreign_code import named_code, require_own_code
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.models.loading import load_causal_lm


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    new_gpt2(gpt2_config("nano", vocab_size=300), seed=0).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """The folder of a tiny GPT-2, with code in it that leaves a trace when it runs."""
    folder = shutil.copytree(saved, tmp_path / "model")
    (folder / "custom_generate").mkdir()
    for name in ("strange.py", "custom_generate/generate.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'it-ran')!r}, 'w')\n")
    return folder


def change(folder, name: str, settings: dict) -> None:
    path = folder / name
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(before | settings))


@pytest.mark.parametrize(("file", "settings", "message"), REFUSED.values(), ids=REFUSED)
def test_what_reaches_outside_of_the_model_is_refused_before_anything_loads(
    folder, file, settings, message, monkeypatch
):
    def must_not_run(*_, **__):
        raise AssertionError("a model was about to be loaded")

    monkeypatch.setattr("hf_llm.models.loading.AutoModelForCausalLM.from_pretrained", must_not_run)
    change(folder, file, settings)
    with pytest.raises(UserError) as error:
        load_causal_lm(folder)
    for language in ("en", "pt-BR"):
        assert file in error.value.in_language(language)
        assert "{" not in error.value.in_language(language).replace(str(settings), "")
    assert message in str(error.value)


@pytest.mark.parametrize(("file", "settings"), NAMED.values(), ids=NAMED)
def test_code_of_a_model_that_transformers_knows_does_not_run(folder, tmp_path, file, settings):
    change(folder, file, settings)
    ids = torch.tensor([[1, 2, 3]])
    assert load_causal_lm(folder).generate(ids, max_new_tokens=1, do_sample=False).shape == (1, 4)
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(("file", "settings"), NAMED.values(), ids=NAMED)
def test_a_model_that_needs_its_own_code_is_refused(folder, tmp_path, file, settings):
    change(folder, file, settings)
    change(folder, "config.json", {"model_type": "strange"})
    with pytest.raises(UserError, match=r"brings Python code of its own \(strange\."):
        load_causal_lm(folder)
    assert not (tmp_path / "it-ran").exists()


def test_what_is_plain_is_not_refused(folder):
    change(folder, "config.json", {"attn_implementation": "eager", "_name_or_path": "some/model", "note": "a/b"})
    assert load_causal_lm(folder).config._attn_implementation == "eager"


def test_each_class_and_the_file_that_names_it(folder):
    change(folder, "config.json", NAMED["the config"][1])
    change(folder, "tokenizer_config.json", NAMED["a tokenizer in an old form"][1])
    assert named_code("x", folder, ["config.json", "tokenizer_config.json", "strange.py"]) == {
        "strange.Config": "config.json",
        "strange.Model": "config.json",
        "strange.Slow": "tokenizer_config.json",
    }


@pytest.mark.parametrize("value", ["evil/other--strange.Model", "gpt2--strange.Model", "/tmp/strange.Model", "a/b.C"])
def test_code_of_elsewhere_is_not_the_models_own(value):
    require_own_code("x", {"strange.Model": "config.json"})
    with pytest.raises(UserError, match=r"x: config\.json names the code of another repository"):
        require_own_code("x", {value: "config.json"})


@pytest.mark.parametrize("value", ["", "a b", "strange.Model()", "..", "strange."])
def test_a_name_that_is_no_class(value):
    with pytest.raises(UserError, match="which is no class"):
        require_own_code("x", {value: "config.json"})
