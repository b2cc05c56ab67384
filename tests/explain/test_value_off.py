"""One token's values switched off in a layer: the weights of the layer stay, the sum loses that token's part alone."""

import pytest
import torch
from test_claims import TEXT, model

from hf_llm.config import UserError
from hf_llm.explain.reading import read
from hf_llm.explain.value_off import value_off
from hf_llm.tokenization.tokenizer import train_bpe


@pytest.fixture(scope="module")
def reading():
    tokenizer = train_bpe(TEXT, 270)
    return read(model(tokenizer, 20), tokenizer, TEXT)


@pytest.mark.parametrize("key", [1, 3])
def test_the_sum_loses_the_weighted_values_of_that_token(reading, key):
    found = value_off(reading, 0, key)
    assert found.key == key
    assert found.moved_weights == 0
    torch.testing.assert_close(found.mixed, found.weights @ found.v, atol=1e-5, rtol=1e-5)
    lost = found.weights[key] * found.v[key]
    torch.testing.assert_close(found.mixed - found.mixed_without, lost, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found.before, found.after)
    torch.testing.assert_close(found.before, reading.logits[-1].softmax(-1))


def test_by_itself_it_takes_the_token_that_a_head_weighs_most_beside_the_first_and_the_last(reading):
    found = value_off(reading, 0)
    _, seen = reading.model(reading.ids, capture=["layer.0.attention.weights"])
    of_last = seen["layer.0.attention.weights"][0, :, -1]
    assert 0 < found.key < reading.T - 1
    assert found.weights[found.key] == of_last[:, 1:-1].max()


def test_a_layer_or_a_token_that_is_not_there_is_refused(reading):
    for layer, key in ((5, 0), (0, 99)):
        with pytest.raises(UserError):
            value_off(reading, layer, key)
