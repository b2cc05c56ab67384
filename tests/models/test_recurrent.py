"""LSTM and GRU language models: their arithmetic, what they may see, saving and loading, and the width for a size."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from hf_llm.config import UserError
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.decoding import beam_search, decode
from hf_llm.models.gpt2 import gpt2_config, parameter_counts
from hf_llm.models.loading import load_causal_lm
from hf_llm.models.modeling_recurrent import RecurrentForCausalLM
from hf_llm.models.recurrent import new_recurrent, recurrent_config, recurrent_of_size, recurrent_parameters
from hf_llm.models.round_trip import tensor_hashes

CELLS = ("lstm", "gru")
EACH = pytest.mark.parametrize("cell", CELLS)
ELSEWHERE = """
import json, sys
sys.modules["hf_llm"] = None  # importing it raises
import torch
from transformers import AutoModelForCausalLM

found = {}
for cell in sys.argv[1:]:
    try:
        AutoModelForCausalLM.from_pretrained(cell, trust_remote_code=False)
        refused = ""
    except ValueError as error:
        refused = str(error)
    model = AutoModelForCausalLM.from_pretrained(cell, trust_remote_code=True)
    with torch.no_grad():
        logits = model(torch.arange(12)[None]).logits
    new = model.generate(torch.arange(4)[None], max_new_tokens=5, do_sample=False, pad_token_id=0)
    found[cell] = {"refused": refused, "module": type(model).__module__, "logits": logits.double().tolist(),
                   "new": new[0].tolist()}
print(json.dumps(found))
"""


def model_of(cell: str, **settings) -> RecurrentForCausalLM:
    return new_recurrent(recurrent_config(cell, **{"vocab_size": 50, "n_embd": 16, "n_positions": 32} | settings), 0)


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    return torch.randint(1, 50, (4, 20), generator=torch.Generator().manual_seed(0))


def test_one_layer_is_its_formula(ids):
    def gates(model, x, h):  # (gates, B, n_embd), what reads the token and what reads the state apart
        one = model.recurrent
        return [
            (z @ weight.T + bias).chunk(4 if model.config.cell == "lstm" else 3, dim=-1)
            for z, weight, bias in ((x, one.weight_ih_l0, one.bias_ih_l0), (h, one.weight_hh_l0, one.bias_hh_l0))
        ]

    for cell in CELLS:
        model = model_of(cell, n_layer=1).double().eval()
        h = c = torch.zeros(4, 16, dtype=torch.float64)
        for t in range(20):
            read, own = gates(model, model.embedding(ids[:, t]), h)
            if cell == "lstm":
                i, f, g, o = (a + b for a, b in zip(read, own))
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
            else:
                reset, keep = (read[0] + own[0]).sigmoid(), (read[1] + own[1]).sigmoid()
                h = (1 - keep) * (read[2] + reset * own[2]).tanh() + keep * h
        logits = model(ids, logits_to_keep=1).logits[:, 0]
        assert torch.allclose(logits, h @ model.embedding.weight.T, rtol=1e-12, atol=1e-12)


@EACH
def test_a_position_sees_what_is_before_it_and_nothing_behind(ids, cell):
    model = model_of(cell).eval()
    embedded = model.embedding(ids).detach().requires_grad_()
    model.embedding.register_forward_hook(lambda *_: embedded)
    model(ids).logits[:, 9].sum().backward()
    reached = embedded.grad.abs().amax(dim=(0, 2)) > 0  # (T,)
    assert reached.tolist() == [True] * 10 + [False] * 10


@EACH
def test_accumulated_gradients_are_those_of_the_big_batch(ids, cell):
    model = model_of(cell, dropout=0.0).double()
    big = model(ids, labels=ids)
    assert big.loss.item() == pytest.approx(math.log(50), rel=0.05)  # of an untrained model: guessing
    big.loss.backward()
    expected = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    for part in ids.split([1, 3]):
        shift = torch.nn.functional.pad(part[:, 1:], (0, 1), value=-100)
        model(part, labels=part, shift_labels=shift, num_items_in_batch=4 * 19).loss.backward()
    for parameter, grad in zip(model.parameters(), expected, strict=True):
        assert torch.allclose(parameter.grad, grad, rtol=1e-10, atol=1e-12)


@EACH
def test_dropout_only_in_training_and_a_seed_gives_the_same_weights(ids, cell):
    model = model_of(cell, dropout=0.3)
    assert not torch.equal(model(ids).logits, model(ids).logits)
    assert torch.equal(model.eval()(ids).logits, model(ids).logits)
    assert tensor_hashes(model) == tensor_hashes(model_of(cell))
    assert model.lm_head.weight is model.embedding.weight


def test_the_forget_gate_of_an_lstm_starts_open():
    lstm = model_of("lstm").recurrent
    assert lstm.bias_ih_l1.tolist() == [0.0] * 16 + [1.0] * 16 + [0.0] * 32
    assert not any(bias.any() for bias in (lstm.bias_hh_l0, model_of("gru").recurrent.bias_ih_l0))


@EACH
def test_the_state_stands_for_the_text_before_and_does_not_grow(ids, cell):
    model = model_of(cell).eval()
    whole = model(ids, use_cache=True)
    first = model(ids[:, :12], use_cache=True)
    rest = model(ids[:, 12:], past_key_values=first.past_key_values, use_cache=True)
    assert torch.allclose(rest.logits, whole.logits[:, 12:], atol=1e-6)
    shapes = [[state.shape for state in output.past_key_values] for output in (first, whole)]
    assert shapes[0] == shapes[1] == [(2, 4, 16)] * (2 if cell == "lstm" else 1)


@EACH
def test_padding_is_read_on_the_right_only(ids, cell):
    model, mask = model_of(cell).eval(), torch.ones_like(ids)
    mask[1, 15:] = 0
    assert torch.equal(model(ids, attention_mask=mask).logits, model(ids).logits)
    mask[1, 0] = 0
    with pytest.raises(ValueError, match="pad on the right"):
        model(ids, attention_mask=mask)


@EACH
def test_generation_is_the_same_token_by_token_and_reading_all_again(ids, cell):
    model = model_of(cell).eval()
    prompt, text = ids[0, :5].tolist(), ids[:1, :5]
    for _ in range(12):
        text = torch.cat([text, model(text).logits[:, -1:].argmax(-1)], dim=1)
    greedy = GenerationSettings(max_new_tokens=12, do_sample=False)
    assert list(decode(model, prompt, greedy)) == text[0, 5:].tolist()
    new = model.generate(ids[:1, :5], max_new_tokens=12, do_sample=False, pad_token_id=0)
    assert new.tolist() == text.tolist()
    beams = beam_search(model, prompt, GenerationSettings(max_new_tokens=12, num_beams=3, do_sample=False))
    again = {"num_beams": 3, "do_sample": False, "use_cache": False, "pad_token_id": 0}
    assert beams == model.generate(ids[:1, :5], max_new_tokens=12, **again)[0, 5:].tolist()


@EACH
def test_it_is_evaluated_like_any_causal_lm(ids, cell):
    model, lengths = model_of(cell), np.ones(50, dtype=np.int64)
    scores = evaluate_tokens(model, ids.flatten().numpy(), lengths, stride=8, context=16)
    assert scores.loss == pytest.approx(math.log(50), rel=0.05)
    with pytest.raises(UserError, match="more than the model's 32"):
        evaluate_tokens(model, ids.flatten().numpy(), lengths, stride=8, context=33)


def test_saved_and_loaded_elsewhere_logits_are_the_same(ids, tmp_path):
    models = {cell: model_of(cell).eval() for cell in CELLS}
    for cell, model in models.items():
        model.save_pretrained(tmp_path / cell)
        assert tensor_hashes(load_causal_lm(tmp_path / cell)) == tensor_hashes(model)
        assert {path.name for path in (tmp_path / cell).glob("*.py")} == {
            "configuration_recurrent.py", "modeling_recurrent.py"
        }  # fmt: skip
        config = json.loads((tmp_path / cell / "config.json").read_text(encoding="utf-8"))
        assert set(config["auto_map"]) == {"AutoConfig", "AutoModelForCausalLM"}
        for trust in (True, False):  # here it is the package's own class, whatever the flag
            loaded = AutoModelForCausalLM.from_pretrained(tmp_path / cell, trust_remote_code=trust)
            assert type(loaded) is RecurrentForCausalLM
    result = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *CELLS], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, env=os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    for cell, found in json.loads(result.stdout.splitlines()[-1]).items():
        assert "trust_remote_code" in found["refused"]
        assert found["module"].startswith("transformers_modules.")
        with torch.no_grad():
            expected = models[cell](torch.arange(12)[None]).logits
        assert torch.allclose(torch.tensor(found["logits"]), expected, atol=1e-6)
        assert found["new"][:4] == [0, 1, 2, 3]


@EACH
@pytest.mark.parametrize("tie", [True, False])
def test_parameters_are_counted_from_the_shape(cell, tie):
    config = recurrent_config(cell, vocab_size=300, n_embd=24, n_layer=3, tie_word_embeddings=tie)
    assert recurrent_parameters(config)["total"] == new_recurrent(config, 0, device="meta").num_parameters()


@EACH
def test_the_width_for_a_size_is_the_closest_one(cell):
    target = parameter_counts(gpt2_config("micro"))["total"]
    config = recurrent_of_size(cell, target, vocab_size=1000, n_layer=2)
    off = [abs(count_at(config, config.n_embd + change) - target) for change in (-1, 0, 1)]
    assert off[1] == min(off)
    assert off[1] / target < 0.01
    with pytest.raises(UserError, match="as few as 40 parameters"):
        recurrent_of_size(cell, 40, vocab_size=1000)


def count_at(config, width: int) -> int:
    settings = {"vocab_size": config.vocab_size, "n_layer": config.n_layer, "n_embd": width}
    return recurrent_parameters(recurrent_config(config.cell, **settings))["total"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"cell": "rnn"}, "cell"),
        ({"cell": "gru", "n_embd": 0}, "n_embd must be at least 1, not 0"),
        ({"cell": "gru", "dropout": 1.0}, "at least 0, below 1, not 1.0"),
    ],
)
def test_an_impossible_shape_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        recurrent_config(**settings)
    assert "\n" not in str(error.value)
