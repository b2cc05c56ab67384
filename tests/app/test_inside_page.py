"""The page inside a GPT-2: its numbers are the model's, in both languages, and what cannot be read is refused."""

import base64
import copy
import json
import re

import gradio as gr
import pytest
import torch
from transformers import GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from hf_llm.app.config import AppConfig
from hf_llm.app.guarded import guarded
from hf_llm.app.pages.inside import answers as page
from hf_llm.app.pages.inside import presets
from hf_llm.app.pages.inside.call import call
from hf_llm.app.server.build import build
from hf_llm.app.server.library import LanguageModel
from hf_llm.config import UserError
from hf_llm.explain import claims
from hf_llm.explain.inspection import inspect, lens
from hf_llm.explain.reading import LONGEST, read
from hf_llm.explain.strips import strips
from hf_llm.explain.what_if import addresses, switched_off
from hf_llm.tokenization.tokenizer import encode_document

TEXT = "O gato dormia."
CONTROLS = {
    "model": "story", "text": TEXT, "part": "prediction", "layer": 1, "head": 1, "token": -1,
    "key": -1, "step": "softmax", "place": "mixed", "shuffle": 1, "off": "nothing", "lang": "en",
}  # fmt: skip


def show(app, **changes) -> dict[str, str]:
    return page.show(app, **{**CONTROLS, **changes})


def records(shown: str, name: str) -> list[dict]:
    """Return the data that a figure lets the reader save."""
    encoded = re.search(f'download="{name}.json" href="data:application/json;base64,([^"]+)"', shown).group(1)
    return json.loads(base64.b64decode(encoded))


@pytest.fixture
def story(app) -> LanguageModel:
    return app.library.language_model("story")


@pytest.fixture
def reading(story):
    return read(story.explained, story.tokenizer, TEXT)


@pytest.fixture
def expected(story) -> torch.Tensor:
    """What transformers finds likely after each token, shape (T, vocab_size)."""
    with torch.no_grad():
        return story.model(torch.tensor([encode_document(story.tokenizer, TEXT).tolist()])).logits[0].softmax(-1)


@pytest.mark.parametrize("token", [-1, 2])
def test_the_probabilities_shown_are_transformers_softmax(app, expected, token):
    rows = records(show(app, token=token)["next"], "next")
    assert [row["id"] for row in rows] == expected[token].topk(len(rows)).indices.tolist()
    for row in rows:
        assert row["probability"] == pytest.approx(expected[token, row["id"]].item(), abs=1e-5)


def test_the_attention_is_transformers_and_its_rows_sum_to_1(story, reading):
    eager = GPT2LMHeadModel._from_config(story.model.config, attn_implementation="eager")
    eager.load_state_dict(story.model.state_dict())
    with torch.no_grad():
        maps = eager.eval()(reading.ids, output_attentions=True).attentions
    for layer in range(reading.n_layer):
        for head in range(reading.n_head):
            found = inspect(reading, layer, head)
            weights = torch.tensor([[w or 0.0 for w in row] for row in found["attention"]["weights"]])
            torch.testing.assert_close(weights.sum(-1), torch.ones(reading.T))
            torch.testing.assert_close(weights, maps[layer][0, head], atol=1e-5, rtol=0)
            assert found["cell"]["weight"] == pytest.approx(weights[-1].max().item(), abs=1e-6)
            assert found["heads"][head]["itself"] == pytest.approx(weights.diagonal().mean().item(), abs=1e-6)
        torch.testing.assert_close(reading.seen(f"layer.{layer}.attention.weights"), maps[layer][0], atol=1e-5, rtol=0)


def test_each_step_of_the_attention_follows_from_the_one_before(reading):
    attention = inspect(reading, 0, 1)["attention"]
    products, scores = torch.tensor(attention["products"]), torch.tensor(attention["scores"])
    torch.testing.assert_close(products / 16**0.5, scores)  # 32 wide, 2 heads
    for i, row in enumerate(attention["masked_scores"]):
        assert row == attention["scores"][i][: i + 1] + [None] * (reading.T - i - 1)
        weights = torch.tensor(row[: i + 1]).softmax(-1)
        torch.testing.assert_close(weights, torch.tensor(attention["weights"][i][: i + 1]))


def test_the_lens_ends_in_the_models_output(app, reading, expected):
    found = lens(reading, top=10)
    assert [layer["layer"] for layer in found["layers"]] == [None, 0, 1]
    for position, likely in enumerate(found["layers"][-1]["likely"]):
        assert [one["id"] for one in likely] == expected[position].topk(10).indices.tolist()
        for one in likely:
            assert one["probability"] == pytest.approx(expected[position, one["id"]].item(), abs=1e-5)
    assert found["layers"][-1]["final"] == pytest.approx(expected.max(-1).values.tolist(), abs=1e-5)
    last = [row for row in records(show(app, part="lens")["lens"], "lens") if row["layer"] == "Layer 1"]
    assert [row["id"] for row in last] == expected[-1].topk(5).indices.tolist()


def test_the_stream_and_the_mlp_are_the_models(story, reading):
    found = inspect(reading, 1, 0, token=3)
    with torch.no_grad():
        states = story.model(reading.ids, output_hidden_states=True).hidden_states
    assert [(row["layer"], row["after"]) for row in found["norms"]] == [
        (None, "embedding"), (0, "attention"), (0, "mlp"), (1, "attention"), (1, "mlp"),
    ]  # fmt: skip
    assert found["norms"][0]["stream"] == pytest.approx(states[0][0].norm(dim=-1).tolist(), rel=1e-4)
    assert found["norms"][2]["stream"] == pytest.approx(states[1][0].norm(dim=-1).tolist(), rel=1e-4)
    neurons = reading.seen("layer.1.mlp.activation")
    assert neurons.shape == (reading.T, 128)
    for row in found["mlp"]["strongest"]:
        assert row["activation"] == pytest.approx(neurons[3, row["neuron"]].item())
    assert abs(found["mlp"]["strongest"][0]["activation"]) == neurons[3].abs().max().item()


def test_ids_are_only_addresses(reading, expected):
    found = addresses(reading, shuffle=3)
    assert found["with_rows"]["largest_difference"] < 1e-4 < found["without_rows"]["largest_difference"]
    assert found["with_rows"]["next"][0]["id"] == found["before"][0]["id"] == expected[-1].argmax().item()
    assert found["tokens"] != addresses(reading, shuffle=4)["tokens"]


@pytest.mark.parametrize("part", ["head", "heads", "mlp"])
def test_a_part_switched_off_moves_the_prediction(reading, expected, part):
    found = switched_off(reading, 1, 0, part)
    assert 0 < found["moved"] < 1
    for row in found["next"]:
        assert row["before"] == pytest.approx(expected[-1, row["id"]].item(), abs=1e-5)
    assert any(abs(row["before"] - row["after"]) > 1e-6 for row in found["next"])
    if part == "head":
        assert found["heads"][0]["moved"] == pytest.approx(found["moved"], abs=1e-5)
        assert found["heads"][1]["moved"] != pytest.approx(found["moved"], abs=1e-5)


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
@pytest.mark.parametrize("part", page.PARTS)
def test_every_part_is_drawn_in_both_languages(app, part, lang):
    for off in page.OFF:
        for step in ("product", "scale", "mask", "softmax"):
            shown = show(app, part=part, lang=lang, off=off, step=step, text="<img src=x onerror=alert(1)> ${1}")
            assert set(shown) == {"why", "picture", *page.PARTS[part], "call"}
            assert all(drawn for name, drawn in shown.items() if name != "why")
            assert "<img src=x" not in "".join(shown.values())


def test_a_masked_cell_says_so(app):
    assert "−∞" in show(app, part="attention", token=1, key=3)["cell"]
    assert "−∞" not in show(app, part="attention", token=3, key=1)["cell"]


def test_a_long_text_is_cut_with_a_message(app, story):
    reading = read(story.explained, story.tokenizer, TEXT * 20)
    whole = len(encode_document(story.tokenizer, TEXT * 20))
    assert (reading.T, reading.left_out) == (LONGEST, whole - LONGEST)
    assert f"{whole - LONGEST} ficaram de fora" in show(app, text=TEXT * 20, lang="pt-BR")["picture"]
    assert "were left out" not in show(app)["picture"]


@pytest.mark.parametrize(("lang", "said"), [("pt-BR", "só sabe abrir modelos GPT-2"), ("en", "only open GPT-2")])
def test_another_kind_of_model_is_refused(app, story, monkeypatch, lang, said):
    llama = LlamaForCausalLM(
        LlamaConfig(vocab_size=300, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    )
    monkeypatch.setattr(app.library, "language_model", lambda name: LanguageModel(name, llama, story.tokenizer))
    shown = show(app, lang=lang)
    assert said in shown["picture"]
    assert shown["next"] == shown["call"] == ""
    with pytest.raises(gr.Error, match="only open GPT-2"):
        guarded(page.inspect, app)(TEXT, "story")


def test_a_model_whose_training_diverged_is_refused(app, story, monkeypatch):
    broken = copy.deepcopy(story.model)
    broken.transformer.ln_f.weight.data[0] = float("nan")
    monkeypatch.setattr(app.library, "language_model", lambda name: LanguageModel(name, broken, story.tokenizer))
    assert "diverged" in show(app)["picture"]


def test_what_cannot_be_read_is_refused(app):
    assert "Escreva" in show(app, text="", lang="pt-BR")["picture"]
    assert "substituto" in show(app, text="a\ud800", lang="pt-BR")["picture"]
    assert "characters" in show(app, text="a" * (app.config.max_characters + 1))["picture"]
    assert "no model called None" in show(app, model=None)["picture"]


def test_without_any_model_the_reader_is_sent_to_train_one(tmp_path):
    _, empty = build(AppConfig(runs=str(tmp_path)))
    assert "Train" in show(empty, model=None)["picture"]


def test_controls_of_a_larger_model_and_a_longer_text_still_show_something(app):
    shown = show(app, part="attention", layer=40, head=20, token=60, key=60)
    assert "layer 1, head 1" in shown["map"]
    assert "layer 1 and head 1 open" in shown["picture"]
    assert "layer 0 and head 0 open" in show(app, layer=-3, head=-3)["picture"]


def test_what_is_clicked_is_chosen(app):
    assert page.choose_in_map(app, choice="3,2", **CONTROLS) == {"token": 3, "key": 2}
    assert page.choose_in_lens(app, choice="1,4", **CONTROLS) == {"token": 4, "key": -1}
    assert page.choose_head(app, choice="1", **CONTROLS) == {"head": 1}
    assert page.choose_key(app, choice="1", **CONTROLS) == {"key": 1}
    assert page.write(app, choice="another text", **CONTROLS) == {"token": -1, "key": -1}


@pytest.mark.parametrize("preset", page.PRESETS)
def test_a_preset_says_why_until_the_text_is_another(app, preset):
    picked = page.choose_preset(app, choice=preset, **CONTROLS)
    shown = show(app, **picked, lang="pt-BR")
    assert "message" in shown["why"]
    assert all(shown[name] for name in page.PARTS[picked["part"]])
    assert show(app)["why"] == ""


def test_the_endpoints_give_json(app, expected):
    endpoints = {name: guarded(endpoint, app) for name, endpoint in page.ENDPOINTS.items()}
    found = json.loads(json.dumps(endpoints["inspect"](TEXT, "story", layer=1, head=0), allow_nan=False))
    assert found["next"][0]["probability"] == pytest.approx(expected[-1].max().item(), abs=1e-5)
    json.dumps(endpoints["logit_lens"](TEXT, "story"), allow_nan=False)
    for wrong, said in [
        ({"layer": 2}, "layer"),
        ({"head": -1}, "head"),
        ({"token": 99}, "token"),
        ({"key": 99}, "token"),
    ]:
        with pytest.raises(gr.Error, match=f"no {said}"):
            endpoints["inspect"](TEXT, "story", **wrong)
    with pytest.raises(gr.Error, match="no model"):
        endpoints["inspect"](TEXT, "../../etc")
    with pytest.raises(gr.Error, match="between 1 and 10"):
        endpoints["logit_lens"](TEXT, "story", top=0)


@pytest.mark.parametrize("part", page.PARTS)
def test_the_call_behind_a_part_runs(app, part, capsys, monkeypatch):
    monkeypatch.chdir(app.library.runs.parent)  # where the folder of runs lies, as for a reader
    for off, place in zip(page.OFF, ("qkv", "mixed", "final_norm", "output")):
        exec(call(app.library.source("story"), TEXT, part, 1, 0, 2, off, place), {})  # what the reader is shown to run
    assert capsys.readouterr().out


def clicked(app, choice: str, **changes) -> dict:
    """Return what a click in the picture sets."""
    return page.choose_in_picture(app, choice=choice, **{**CONTROLS, **changes})


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("token:3", {"token": 3, "key": -1}), ("layer:1", {"layer": 1}), ("part:stream", {"part": "stream"}),
        ("head:1", {"head": 1, "part": "attention"}), ("step:mask", {"step": "mask", "part": "attention"}),
        ("place:mid", {"place": "mid", "part": "vectors"}), ("off:mlp", {"off": "mlp", "part": "off"}),
    ],
)  # fmt: skip
def test_a_click_in_the_picture_opens_its_view(app, choice, expected):
    assert clicked(app, choice) == expected


def test_a_second_click_switches_on_again(app):
    assert clicked(app, "off:mlp", off="mlp") == {"off": "nothing", "part": "off"}


def test_every_place_of_the_picture_opens_a_view(app):
    for choice in set(re.findall(r'data-choose="((?:place|part|step|head|off):\w+)"', show(app)["picture"])):
        given = clicked(app, choice)
        shown = show(app, **given)
        assert all(shown[view] for view in page.PARTS[given["part"]]), choice


def test_one_more_token_is_the_likeliest(app, story, expected):
    likeliest = story.tokenizer.decode([expected[-1].argmax().item()])
    assert clicked(app, "more:1") == {"text": TEXT + likeliest, "token": -1, "key": -1}


def test_one_more_token_is_drawn_with_the_part_off(app, reading, story):
    texts = {page.longer(app, TEXT, "story", layer, head, off)
             for layer in (0, 1) for head in (0, 1) for off in page.OFF}  # fmt: skip
    edited = {TEXT + story.tokenizer.decode([strips(reading.model, reading.ids, layer, head, off).logits[-1].argmax()])
              for layer in (0, 1) for head in (0, 1) for off in (None, "head", "heads", "mlp")}  # fmt: skip
    assert texts == edited


def test_without_room_there_is_no_more_token(app):
    with pytest.raises(UserError, match=f"at most {LONGEST}"):
        clicked(app, "more:1", text="O gato dormia. " * 20)


def test_the_end_of_a_document_is_not_appended(app, story, monkeypatch):
    ending = copy.deepcopy(story.model)
    ending.transformer.ln_f.weight.data.zero_()
    ending.transformer.ln_f.bias.data = 50 * ending.transformer.wte.weight.data[0]
    monkeypatch.setattr(app.library, "language_model", lambda name: LanguageModel(name, ending, story.tokenizer))
    with pytest.raises(UserError, match="the text ends here"):
        clicked(app, "more:1")


def test_the_vectors_are_those_of_the_strips(app, reading):
    found = strips(reading.model, reading.ids, 1, 1, "head")
    for place, name in {"mid": "Sum after attention", "qkv": "V: value", "mlp_output": "Output of the MLP"}.items():
        rows = records(show(app, part="vectors", place=place, off="head")["vectors"], "vectors")
        field = "v" if place == "qkv" else place
        shown = [row[name] for row in rows if row[name] is not None]
        assert shown == pytest.approx(getattr(found, field)[-1].tolist(), abs=1e-6), place


def test_the_weighted_values_sum_to_what_the_head_passes_on(app):
    rows = records(show(app, part="vectors", place="mixed")["vectors"], "vectors")
    *values, total = [name for name in rows[0] if name != "dimension"]
    assert len(values) > 3
    for row in rows:
        assert sum(row[name] for name in values) == pytest.approx(row[total], abs=1e-5)


def test_a_view_of_the_whole_model_says_so_while_a_part_is_off(app):
    for part, view in (("prediction", "next"), ("stream", "norms"), ("lens", "lens")):
        assert "without the MLP of layer 1" in show(app, part=part, off="mlp")[view]
        assert "whole model. The picture" not in show(app, part=part)[view]


def test_what_is_masked_is_called_so(app):
    shown = show(app, part="attention", token=1, key=0, step="mask")
    assert "masked" in shown["cell"]
    assert shown["map"].count('<td class="masked">') > 3
    assert 'class="masked"' not in show(app, part="attention", step="scale")["map"]


def test_what_is_said_of_a_preset_is_true_of_the_model_at_hand(app, monkeypatch):
    reading = page._read(app, page.PRESETS["by_heart"].text, "story")
    said = presets.why("by_heart", reading, "en")
    found = claims.recital(reading)
    assert f"predicts {found.right} of the {found.of} tokens" in said
    assert "does not know the sentence by heart" in said  # it has read another story, six steps long
    monkeypatch.setattr(claims, "recital", lambda reading: claims.Recital(9, 10))
    assert "knows it by heart" in presets.why("by_heart", reading, "en")
    reading = page._read(app, page.PRESETS["repeated"].text, "story")
    assert "does not copy" in presets.why("repeated", reading, "en")
    monkeypatch.setattr(claims, "copy", lambda *given: claims.Copy(0.9, 1))
    assert "This model copies: “blue”" in presets.why("repeated", reading, "en")
    reading = page._read(app, page.PRESETS["cat"].text, "story")
    for weight, words in ((0.9, "far more than at just any word"), (0.06, "no head looks at the cat")):
        monkeypatch.setattr(claims, "look", lambda *given, weight=weight: claims.Look(1, 0, weight, 0.05))
        assert words in presets.why("cat", reading, "en")
