"""The readable GPT-2 gives the numbers of transformers' own, with trained weights, and shows and edits all of them."""

import re

import pytest
import torch
from transformers import GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from hf_llm.config import UserError
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.intermediates import EMBEDDING, HEAD, LAYER, matching
from hf_llm.models.gpt2 import gpt2_config, new_gpt2


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference, relative to the largest expected value."""
    return ((found - expected).abs().max() / expected.abs().max()).item()


@torch.no_grad()
def distances(model, explained, ids) -> dict[str, float]:
    """Return how far each hidden state and the logits of the two lie apart."""
    expected = model(ids, output_hidden_states=True)
    logits, seen = explained(ids, capture=["embedding.output", "layer.*.output", "final_norm"])
    # transformers gives the embeddings, the output of every layer but the last, and the final norm
    names = ["embedding.output", *matching("layer.*.output", model.config.n_layer)[:-1], "final_norm"]
    assert len(names) == len(expected.hidden_states)
    found = {name: distance(seen[name], state) for name, state in zip(names, expected.hidden_states)}
    return {**found, "logits": distance(logits, expected.logits)}


@pytest.fixture
def explained(trained):
    return GPT2Explained.from_transformers(trained)


def test_every_hidden_state_and_the_logits_are_equal(trained, explained, sample_ids):
    assert max(distances(trained, explained, sample_ids).values()) < 1e-4


def test_one_nudged_weight_shows(trained, sample_ids):
    """The comparison above is worth something: one number changed in any tensor of the model makes it fail."""
    other = GPT2LMHeadModel(trained.config)
    for name, _ in trained.transformer.named_parameters():
        other.load_state_dict(trained.state_dict())
        other.transformer.get_parameter(name).data.view(-1)[-1] += 0.5
        explained = GPT2Explained.from_transformers(other)
        assert max(distances(trained, explained, sample_ids).values()) > 1e-4, name


def test_the_last_layer_before_the_norm_is_equal(trained, explained, sample_ids):
    found = {}
    hook = trained.transformer.h[-1].register_forward_hook(lambda _, __, output: found.update(output=output))
    with torch.no_grad():
        trained(sample_ids)
    hook.remove()
    _, seen = explained(sample_ids, capture=["layer.2.output"])
    assert distance(seen["layer.2.output"], found["output"]) < 1e-4


def test_attention_weights_are_those_of_eager_attention(trained, explained, sample_ids):
    eager = GPT2LMHeadModel(gpt2_config("nano", vocab_size=256, n_positions=48, n_layer=3, n_head=4, attention="eager"))
    eager.load_state_dict(trained.state_dict())
    with torch.no_grad():
        attentions = eager.eval()(sample_ids, output_attentions=True).attentions
    _, seen = explained(sample_ids, capture=["layer.*.attention.weights"])
    assert len(attentions) == len(seen) == 3
    for weights, expected in zip(seen.values(), attentions):
        assert distance(weights, expected) < 1e-4
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
        assert (weights.triu(diagonal=1) == 0).all()


def test_a_later_token_changes_nothing_before_it(explained, sample_ids):
    changed = sample_ids.clone()
    changed[:, 30] = (changed[:, 30] + 1) % 256
    before, after = explained(sample_ids)[0], explained(changed)[0]
    assert torch.equal(before[:, :30], after[:, :30])
    assert not torch.allclose(before[:, 30], after[:, 30])


def test_ids_are_only_names(trained, sample_ids):
    """Permute the ids and the rows of the embedding together: the logits are the same, permuted."""
    before = GPT2Explained.from_transformers(trained)(sample_ids)[0]
    order = torch.randperm(256, generator=torch.Generator().manual_seed(0))  # new id i is old id order[i]
    new_id = order.argsort()
    trained.transformer.wte.weight.data = trained.transformer.wte.weight.data[order]
    after = GPT2Explained.from_transformers(trained)(new_id[sample_ids])[0]
    assert distance(after[..., new_id], before) < 1e-5


def test_everything_can_be_captured_in_the_order_it_is_computed(explained, sample_ids):
    sizes = {"B": 2, "T": 48, "n_embd": 64, "n_head": 4, "head_size": 16, "n_inner": 256, "vocab_size": 256}
    logits, seen = explained(sample_ids, capture=["*"])
    assert list(seen) == matching("*", n_layer=3)
    assert seen["logits"] is logits
    described = {name.format(i=i): text for i in range(3) for name, text in {**EMBEDDING, **LAYER, **HEAD}.items()}
    for name, tensor in seen.items():
        documented = re.match(r"\((.+?)\)", described[name]).group(1).split(", ")
        assert tuple(tensor.shape) == tuple(sizes[size] for size in documented), name


def test_the_stream_is_a_sum(explained, sample_ids):
    _, seen = explained(sample_ids, capture=["*"])
    stream = seen["embedding.token"] + seen["embedding.position"]
    for i in range(3):
        stream = stream + seen[f"layer.{i}.attention.output"] + seen[f"layer.{i}.mlp.output"]
    assert distance(stream, seen["layer.2.output"]) < 1e-5


def test_a_head_off_is_its_slice_of_the_projection_off(trained, explained, sample_ids):
    def without_head_2(head_output):
        return head_output.index_fill(1, torch.tensor(2), 0.0)

    edited = explained(sample_ids, edit={"layer.1.attention.head_output": without_head_2})[0]

    def zero_its_slice(_, inputs):
        return (inputs[0].index_fill(-1, torch.arange(2 * 16, 3 * 16), 0.0),)

    handle = trained.transformer.h[1].attn.c_proj.register_forward_pre_hook(zero_its_slice)
    with torch.no_grad():
        expected = trained(sample_ids).logits
    handle.remove()
    assert distance(edited, expected) < 1e-5
    assert distance(edited, explained(sample_ids)[0]) > 1e-4


def test_a_replaced_value_is_what_the_model_goes_on_with(explained, sample_ids):
    _, seen = explained(sample_ids, capture=["layer.1.output"])
    other = sample_ids.flip(0)
    expected = explained(sample_ids)[0]
    patched, kept = explained(other, capture=["layer.1.output"], edit={"layer.1.output": seen["layer.1.output"]})
    assert torch.equal(patched, expected)
    assert kept["layer.1.output"] is seen["layer.1.output"]


def test_an_edit_of_a_pattern_reaches_every_layer(explained, sample_ids):
    edit = {"layer.*.attention.output": torch.zeros_like, "layer.*.mlp.output": torch.zeros_like}
    _, seen = explained(sample_ids, capture=["embedding.output", "layer.2.output"], edit=edit)
    assert torch.equal(seen["layer.2.output"], seen["embedding.output"])


def test_a_star_stands_for_one_part_or_at_the_end_for_the_rest():
    assert matching("layer.*.output", n_layer=2) == ["layer.0.output", "layer.1.output"]
    assert matching("layer.1.mlp.*", n_layer=2) == [name.format(i=1) for name in LAYER if ".mlp." in name]
    assert matching("embedding.*", n_layer=2) == list(EMBEDDING)


def test_weights_are_shared_and_frozen(trained, explained, sample_ids):
    before = explained(sample_ids)[0]
    assert not before.requires_grad
    with torch.no_grad():
        trained.transformer.ln_f.bias.add_(0.1)
    assert not torch.allclose(before, explained(sample_ids)[0])
    assert all(parameter.requires_grad for parameter in trained.parameters())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"capture": ["layer.1.atention.weights"]}, "did you mean 'layer.1.attention.weights'"),
        ({"capture": ["layer.3.output"]}, "a GPT-2 of 3 layers has no intermediate"),
        ({"edit": {"logit": torch.zeros_like}}, "did you mean 'logits'"),
        ({"edit": {"logits": torch.zeros(1)}}, "the edit of logits turned"),
        ({"input_ids": torch.zeros(1, 49, dtype=torch.long)}, "this model's context of 48"),
        ({"input_ids": torch.tensor([[256]])}, "Token ids must lie between 0 and 255"),
        ({"input_ids": torch.tensor([1, 2])}, "must have shape"),
        ({"input_ids": torch.zeros(1, 0, dtype=torch.long)}, "must have shape"),
    ],
)
def test_what_cannot_be_gets_a_sentence(explained, sample_ids, arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        explained(**{"input_ids": sample_ids, **arguments})


def test_only_gpt2_as_published_is_explained():
    config = gpt2_config("nano")
    config.activation_function = "relu"
    with pytest.raises(UserError, match="activation_function must be gelu_new, and in this model it is relu"):
        GPT2Explained.from_transformers(new_gpt2(config, 0, "meta"))
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=8, **sizes))
    with pytest.raises(UserError, match="Only a GPT-2 can be opened"):
        GPT2Explained.from_transformers(llama)
