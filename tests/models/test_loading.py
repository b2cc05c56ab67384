"""Models from folders: any causal LM loads, nothing that came with it runs, and each bad folder gets a sentence."""

import errno
import hashlib
import json
import os
import shutil

import pytest
import torch
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from safetensors.torch import load_file, save_file
from transformers import GPT2Model, LlamaConfig, LlamaForCausalLM, T5Config

from hf_llm.config import UserError
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.models.loading import load_causal_lm
from hf_llm.models.round_trip import tensor_hashes


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a tiny GPT-2; tests copy it before they damage it."""
    folder = tmp_path_factory.mktemp("gpt2")
    new_gpt2(gpt2_config("nano", vocab_size=300), seed=0).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refusal(name) -> str:
    with pytest.raises(UserError) as error:
        load_causal_lm(name)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


def test_a_gpt2_comes_back_as_it_was_saved(folder):
    model = load_causal_lm(folder)
    assert tensor_hashes(model) == tensor_hashes(new_gpt2(gpt2_config("nano", vocab_size=300), seed=0))
    assert not model.training
    assert model.generation_config.pad_token_id == 0


def test_the_loss_does_not_warn(folder, caplog):
    ids = torch.arange(1, 11).view(1, 10)
    assert load_causal_lm(str(folder))(input_ids=ids, labels=ids).loss > 0
    assert not caplog.records


def test_another_causal_lm_in_another_precision(tmp_path):
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=8, **sizes)).to(torch.bfloat16).save_pretrained(tmp_path)
    model = load_causal_lm(tmp_path)
    assert isinstance(model, LlamaForCausalLM)
    assert model.dtype == torch.float32


def test_weights_in_several_files(tmp_path):
    model = new_gpt2(gpt2_config("nano", vocab_size=300), seed=0)
    model.save_pretrained(tmp_path, max_shard_size="200KB")
    assert not (tmp_path / "model.safetensors").exists()
    assert tensor_hashes(load_causal_lm(tmp_path)) == tensor_hashes(model)


def test_weights_without_the_head_that_is_tied(tmp_path):
    """As OpenAI's GPT-2 lies on the Hub: the names lack the prefix `transformer.`."""
    model = new_gpt2(gpt2_config("nano", vocab_size=300), seed=0)
    model.transformer.save_pretrained(tmp_path)
    assert "wte.weight" in load_file(tmp_path / "model.safetensors")
    assert isinstance(model.transformer, GPT2Model)
    assert tensor_hashes(load_causal_lm(tmp_path)) == tensor_hashes(model)


def test_python_code_in_the_folder_does_not_run(folder):
    witness = folder / "it-ran"
    (folder / "modeling.py").write_text(f"open({str(witness)!r}, 'w')\n")
    auto_map = {"AutoConfig": "modeling.Config", "AutoModelForCausalLM": "modeling.Model"}
    change_config(folder, model_type="strange", auto_map=auto_map)
    assert "Python code of its own" in refusal(folder)
    change_config(folder, model_type="gpt2")  # transformers' own class is used, and the code left alone
    load_causal_lm(folder)
    assert not witness.exists()


def test_a_model_that_is_no_causal_lm(folder):
    T5Config().save_pretrained(folder)
    assert "model_type 't5'" in refusal(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("\x00", "is not JSON"),
        ("[]", "does not hold a JSON object"),
        ("3", "does not hold a JSON"),
    ],
)
def test_a_config_that_is_none(folder, content, reason):
    (folder / "config.json").write_text(content)
    assert f"config.json {reason}" in refusal(folder)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_config_behind_a_byte_order_mark(folder, encoding):
    """As some editors of Windows save it; transformers itself would not read it."""
    path = folder / "config.json"
    path.write_text(path.read_text(), encoding=encoding)
    assert f"config.json begins with the byte-order mark of {encoding.upper()[:6].rstrip('-')}" in refusal(folder)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "model.safetensors"])
def test_a_pointer_in_the_place_of_a_file(folder, name):
    (folder / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n")
    assert (
        refusal(folder) == f"{folder / name} is a pointer of Git LFS, not the file itself; fetch it with: git lfs pull"
    )


@pytest.mark.parametrize("name", ["model_type", "activation_function", "n_layer", "x_implementation"])
def test_a_message_repeats_a_little_of_a_setting_however_long_it_is(folder, name):
    change_config(folder, **{name: "a/" * 80_000})
    assert len(refusal(folder)) < len(str(folder)) + 400


def test_an_empty_name_is_not_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert refusal("").startswith("a name of a file or folder is empty")


def test_a_config_whose_values_do_not_fit(folder):
    change_config(folder, n_layer="two")
    assert "cannot be loaded" in refusal(folder)


def test_missing_files_are_named(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    assert "holds no model.safetensors" in refusal(folder)
    (folder / "config.json").unlink()
    assert "holds no config.json" in refusal(folder)


def test_truncated_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert "cannot be loaded" in refusal(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"n_embd": 32}, "and 96 by config.json (such tensors: 28)"),
        ({"vocab_size": 200}, "transformer.wte.weight has the shape 300 × 64 in the file of weights, and 200 × 64"),
        ({"vocab_size": 400}, "and 400 × 64 by config.json (such tensors: 1)"),
        ({"n_positions": 64}, "transformer.wpe.weight has the shape 128 × 64"),
        ({"n_inner": 16}, "mlp.c_fc.bias has the shape 256"),
    ],
)
def test_weights_of_another_shape(folder, change, named, capfd):
    change_config(folder, **change)
    assert named in refusal(folder)
    assert "LOAD REPORT" not in capfd.readouterr().err


def test_a_config_with_fewer_layers_than_the_weights(folder):
    change_config(folder, n_layer=1)
    assert "holds tensors of layers that config.json does not count: 11, transformer.h.1." in refusal(folder)


def test_a_config_with_more_layers_than_the_weights(folder):
    change_config(folder, n_layer=3)
    assert "lacks tensors of its model: 12, transformer.h.2." in refusal(folder)


def add(folder, name: str, *shape: int):
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, name: torch.ones(shape)}, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("name", ["score.weight", "v_head.summary.weight", "transformer.h.0.attn.c_attn.lora_A.weight"])
def test_a_tensor_of_another_task_is_said_to_be_unused(folder, name, caplog):
    add(folder, name, 2, 64)
    assert tensor_hashes(load_causal_lm(folder)) == tensor_hashes(new_gpt2(gpt2_config("nano", vocab_size=300), seed=0))
    assert f"1 tensors that this kind of model does not use, such as {name}" in caplog.text


def test_the_constants_in_files_of_earlier_versions_are_nothing_to_speak_of(folder, caplog):
    add(folder, "transformer.h.0.attn.bias", 1, 1, 128, 128)  # as in OpenAI's own
    add(folder, "transformer.h.0.attn.masked_bias", 1)
    load_causal_lm(folder)
    assert not caplog.records


def test_an_output_head_that_its_config_calls_tied_is_still_the_models_own(folder):
    add(folder, "lm_head.weight", 300, 64)
    model = load_causal_lm(folder)
    assert torch.equal(model.lm_head.weight, torch.ones(300, 64))
    assert not torch.equal(model.transformer.wte.weight, model.lm_head.weight)


def test_a_runs_config_that_was_changed_is_said_to_be(folder, caplog):
    """Two heads or four have weights of the same shapes."""
    written = hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()
    (folder / "run.json").write_text(json.dumps({"config": {}, "files": {"config.json": written}}))
    load_causal_lm(folder)
    assert not caplog.records
    change_config(folder, n_head=4)
    load_causal_lm(folder)
    assert "config.json is not the one that the run wrote" in caplog.text


def test_a_missing_tensor_is_not_filled_with_random_numbers(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["transformer.ln_f.bias"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "lacks tensors of its model: 1, " in refusal(folder)
    assert "transformer.ln_f.bias" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no-owner/no-model", "and HF_HUB_OFFLINE is set, so the Hub is not asked; unset it, or name"),
        ("a/b/c", "cannot be a model on the Hub either"),
        ("two words", "cannot be a model on the Hub either"),
        (__file__, "is a file"),
    ],
)
def test_a_name_that_is_no_model(name, sentence):
    assert sentence in refusal(name)


def test_a_hub_id_loads_from_the_cache_without_network(saved, tmp_path, monkeypatch):
    repository = tmp_path / "models--someone--tiny"
    shutil.copytree(saved, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert tensor_hashes(load_causal_lm("someone/tiny")) == tensor_hashes(load_causal_lm(saved))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [(RepositoryNotFoundError, "no such model on the Hub"), (GatedRepoError, "accept its terms at https://")],
)
def test_what_the_hub_refuses(monkeypatch, kind, sentence):
    def refuse(*_, **__):
        raise kind.__new__(kind)  # its constructor wants an HTTP response

    monkeypatch.setattr("hf_llm.models.loading.snapshot_download", refuse)
    assert sentence in refusal("someone/private")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no file modes")
def test_weights_that_are_closed_to_this_user_are_not_said_to_be_missing(folder, monkeypatch):
    closed = folder / "model.safetensors"
    if os.geteuid() == 0:  # to whom nothing is closed

        def refuse(path, *arguments, **options):
            if path == closed:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return open(path, *arguments, **options)

        monkeypatch.setattr("hf_llm.models.weights.open", refuse, raising=False)
    else:
        closed.chmod(0)
    assert refusal(folder) == f"{closed} cannot be read: Permission denied"
