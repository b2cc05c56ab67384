"""From a run to a folder of another format, by the command's own function, and by each format's own engine."""

import json

import numpy as np
import pytest
import torch
from optional_engines import need

from hf_llm.benchmarks.exports.report import check_shape
from hf_llm.benchmarks.exports.shapes import CORNERS, Shape, draw_shapes
from hf_llm.config import UserError
from hf_llm.exports import export as recipe
from hf_llm.exports.config import ExportConfig
from hf_llm.exports.export import export
from hf_llm.exports.formats import PACKAGES, require_packages, require_room, start, write
from hf_llm.exports.llama_cpp import LlamaCpp
from hf_llm.exports.record import read_export
from hf_llm.runs.manifest import read_manifest

FORMATS = list(PACKAGES)


@pytest.mark.slow
@pytest.mark.parametrize("to", FORMATS)
def test_an_export_is_checked_recorded_and_found_by_a_push(finished_run, tmp_path, to):
    need(to)
    folder = tmp_path / to
    made = export(ExportConfig(str(finished_run), to, str(folder)))
    assert made.folder == folder
    greedy = made.record["checks"]["greedy"]
    assert greedy["prompts"] == 20
    assert greedy["identical"] + len(greedy["ties"]) + len(greedy["near"]) == 20
    assert {path.name for path in folder.iterdir()} == {*made.files, "export.json"}
    assert json.loads((folder / "export.json").read_text(encoding="utf-8")) == made.record
    found = read_export(tmp_path, to, read_manifest(finished_run)["files"])
    assert set(found.files.values()) == set(folder.iterdir())


@pytest.mark.parametrize("to", ["gguf", "mlx"])
def test_another_model_is_refused_and_leaves_nothing(finished_run, tmp_path, monkeypatch, to):
    """A converter that forgets a bias."""
    need(to)

    def forgetful(to, source, folder):
        bias = source.model.transformer.ln_f.bias
        kept = bias.detach().clone()
        with torch.no_grad():
            bias.copy_(torch.linspace(-1, 1, len(bias)))
        write(to, source, folder)
        with torch.no_grad():
            bias.copy_(kept)

    monkeypatch.setattr(recipe, "write", forgetful)
    with pytest.raises(UserError, match="is not the same model"):
        export(ExportConfig(str(finished_run), to, str(tmp_path / "out")))
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_before_anything_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(UserError, match=r"pip install 'hf_llm\[gguf\]'"):
        export(ExportConfig("no/such/run", "gguf", str(tmp_path / "out")))
    assert not list(tmp_path.iterdir())


def test_a_model_of_the_hub_wants_a_folder():
    with pytest.raises(UserError, match="say with output_dir what to make"):
        export(ExportConfig("openai-community/gpt2", "gguf"))


def test_a_folder_with_other_things_is_not_replaced(finished_run, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"thesis\.txt"):
        export(ExportConfig(str(finished_run), "gguf", str(tmp_path)))


@pytest.mark.parametrize(
    ("to", "setting", "value"),
    [
        ("gguf", "activation_function", "relu"),
        ("gguf", "scale_attn_by_inverse_layer_idx", True),
        ("mlx", "tie_word_embeddings", False),
        ("mlx", "n_inner", 64),
    ],
)
def test_what_a_format_cannot_hold_is_refused(make_source, to, setting, value):
    source = make_source()
    require_room(to, source)
    setattr(source.model.config, setting, value)
    with pytest.raises(UserError, match=r"config\.json asks for something else"):
        require_room(to, source)


def test_heads_of_size_1_are_refused_where_llama_cpp_would_abort(make_source):
    require_room("mlx", make_source(32, 32))
    with pytest.raises(UserError, match="heads of size 1"):
        require_room("gguf", make_source(32, 32))


@pytest.mark.parametrize("begins_documents", [True, False])
@pytest.mark.parametrize("to", ["gguf", "mlx"])
@pytest.mark.parametrize(("n_embd", "n_head", "vocab_size"), [(33, 3, 257), (40, 8, 523)])
def test_odd_shapes_keep_their_texts(make_source, to, n_embd, n_head, vocab_size, begins_documents):
    need(to)
    source = make_source(n_embd, n_head, vocab_size, begins_documents)
    [record] = check_shape(Shape(n_embd, n_head, 2, 40, vocab_size, begins_documents, 0), source, [to])
    assert not record["failed"], record


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_an_odd_shape_keeps_its_texts_in_a_graph(make_source, to):
    need(to)
    [record] = check_shape(Shape(35, 5, 1, 40, 257, False, 0), make_source(35, 5, 257, False, n_layer=1), [to])
    assert not record["failed"], record


def test_a_graph_has_the_names_that_a_browser_looks_for(make_source, tmp_path):
    need("onnx")
    import onnxruntime

    write("onnx", make_source(n_layer=1), tmp_path)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    names = [value.name for value in (*session.get_inputs(), *session.get_outputs())]
    assert names == [
        "input_ids", "attention_mask", "position_ids", "past_key_values.0.key", "past_key_values.0.value",
        "logits", "present.0.key", "present.0.value",
    ]  # fmt: skip


def test_of_q8_0_only_rows_that_divide_by_32_are_quantized(make_source, tmp_path):
    need("gguf")
    import gguf

    def kinds(n_embd):
        write("gguf", make_source(n_embd), tmp_path)
        reader = gguf.GGUFReader(tmp_path / "model-q8_0.gguf")
        return {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}

    narrow, wide = kinds(40), kinds(64)
    assert narrow["token_embd.weight"] == narrow["blk.0.attn_qkv.weight"] == "F16"
    assert narrow["blk.0.ffn_down.weight"] == "Q8_0"  # its rows are four times as long
    assert wide["token_embd.weight"] == wide["blk.0.attn_qkv.weight"] == "Q8_0"
    assert wide["position_embd.weight"] == wide["blk.0.ffn_up.bias"] == wide["output_norm.weight"] == "F32"


def test_llama_cpp_finds_the_same_bits(make_source, tmp_path):
    need("gguf")
    source = make_source()
    write("gguf", source, tmp_path)
    ids = np.array(source.ids("Era uma vez um barco, and the boat was small.")[: source.context])
    with torch.inference_mode():
        losses = source.model(torch.tensor(ids)[None], labels=torch.tensor(ids)[None]).loss * (len(ids) - 1)
    engine = LlamaCpp(tmp_path / "model-f32.gguf", source.context, "f32")
    assert engine.bits(ids, source.context) == pytest.approx(losses.item() / np.log(2), rel=1e-3)
    assert engine.bits(ids, 8) > engine.bits(ids, 4) * 0.5  # windows that slide


def test_fewer_bits_that_change_too_much_are_refused(make_source, tmp_path, monkeypatch):
    need("gguf")
    source = make_source()
    write("gguf", source, tmp_path)
    monkeypatch.setattr(recipe, "LARGEST_CHANGE", 0.0)
    monkeypatch.setattr(recipe, "MOST_SCORED", 20)
    with pytest.raises(UserError, match="f16 changes bits per byte by"):
        recipe.bits_per_byte(source, tmp_path)


@pytest.mark.parametrize("begins_documents", [True, False])
def test_llama_cpp_begins_a_document_where_the_tokenizer_does(make_source, tmp_path, begins_documents):
    need("gguf")
    source = make_source(begins_documents=begins_documents)
    write("gguf", source, tmp_path)
    prompt_ids = start("gguf", source, tmp_path).continue_text("Era uma vez", 1).prompt_ids
    assert prompt_ids == source.ids("Era uma vez")
    assert (prompt_ids[0] == source.tokenizer.bos_token_id) == begins_documents


def test_llama_cpp_ends_at_the_context(make_source, tmp_path):
    """A user asks for more than the model can read: a text that ends, no crash."""
    need("gguf")
    source = make_source()
    write("gguf", source, tmp_path)
    new = start("gguf", source, tmp_path).continue_text("Era uma vez", 500).new_ids
    assert 0 < len(new) <= source.context


def test_packages_are_told_with_their_versions():
    need("gguf")
    assert require_packages("gguf").keys() == {"gguf", "xllamacpp"}


def test_shapes_are_drawn_within_their_bounds():
    shapes = draw_shapes(200, seed=1)
    assert shapes == draw_shapes(200, seed=1)
    assert [(shape.n_embd, shape.n_head, shape.vocab_size) for shape in shapes[: len(CORNERS)]] == list(CORNERS)
    assert all(32 <= shape.n_embd <= 768 and 257 <= shape.vocab_size <= 50257 for shape in shapes)
    assert all(shape.n_embd % shape.n_head == 0 for shape in shapes)
    assert any((shape.n_embd // shape.n_head) % 2 for shape in shapes)
    assert {shape.begins_documents for shape in shapes} == {True, False}
