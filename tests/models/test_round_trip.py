"""`instantiate_gpt2.py`: a model is made, saved, loaded and compared, and what cannot work is refused before."""

import runpy
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel

from hf_llm.config import UserError
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.models.loading import load_causal_lm
from hf_llm.models.round_trip import round_trip, tensor_hashes

SCRIPT = Path(__file__).parents[2] / "scripts" / "instantiate_gpt2.py"


def run_script(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return end.value.code


def test_the_script_prints_the_table_and_leaves_the_model(tmp_path, monkeypatch, capsys):
    assert run_script(monkeypatch, "--size", "nano", "--vocab_size", 300, "--output_dir", tmp_path / "model") == 0
    out = capsys.readouterr().out
    assert "127,488" in out  # 172,288 of nano, less 700 tokens of 64 numbers each
    assert "28 tensors" in out
    expected = new_gpt2(gpt2_config("nano", vocab_size=300), seed=0)
    assert tensor_hashes(load_causal_lm(tmp_path / "model")) == tensor_hashes(expected)


def test_an_unknown_size_is_one_sentence(tmp_path, monkeypatch, capsys):
    assert run_script(monkeypatch, "--size", "nan", "--output_dir", tmp_path / "model") == 2
    assert "did you mean 'nano'" in capsys.readouterr().err


def test_a_changed_tensor_is_found(tmp_path, monkeypatch):
    def load_with_one_bit_flipped(folder):
        model = load_causal_lm(folder)
        model.transformer.ln_f.weight.data.view(torch.int32)[3] ^= 1
        return model

    monkeypatch.setattr("hf_llm.models.round_trip.load_causal_lm", load_with_one_bit_flipped)
    with pytest.raises(UserError, match=r"transformer\.ln_f\.weight.* came back changed"):
        round_trip(gpt2_config("nano"), tmp_path / "model")


def test_a_folder_in_use_or_unwritable_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="in use"):
        round_trip(gpt2_config("nano"), tmp_path)
    with pytest.raises(UserError, match="could not be written"):
        round_trip(gpt2_config("nano"), tmp_path / "file" / "model")


@pytest.mark.parametrize(
    ("function", "kind", "sentence"),
    [
        ("models.round_trip.psutil.virtual_memory", "available", "GB of memory are free"),
        ("config.disk.shutil.disk_usage", "free", "GB in .* are free"),
    ],
)
def test_what_does_not_fit_is_refused_first(tmp_path, monkeypatch, function, kind, sentence):
    scarce = namedtuple("Scarce", [kind, "total"])(100_000, 10**9)
    monkeypatch.setattr(f"hf_llm.{function}", lambda *_: scarce)
    with pytest.raises(UserError, match=sentence):
        round_trip(gpt2_config("nano"), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_disk_that_fills_leaves_nothing_and_one_that_does_not_say_how_full_it_is_is_tried(tmp_path, monkeypatch):
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr("hf_llm.config.disk.shutil.disk_usage", lambda *_: usage(0, 0, 0))
    assert round_trip(gpt2_config("nano"), tmp_path / "model")["tensors"] > 0

    def fills(self, folder):
        Path(folder).mkdir(exist_ok=True)
        (Path(folder) / "config.json").write_text("{")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", fills)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(UserError, match=r"the model in .* could not be written \(No space left on device\)"):
            round_trip(gpt2_config("nano"), tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "model"]
    assert list((tmp_path / "empty").iterdir()) == []
