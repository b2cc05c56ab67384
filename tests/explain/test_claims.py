"""What is said of a model on a text is true of the model at hand: of one that knows the text, of one that does not."""

import pytest
import torch
from transformers import GPT2LMHeadModel

from hf_llm.explain import claims
from hf_llm.explain.gpt2_explained import GPT2Explained
from hf_llm.explain.reading import read
from hf_llm.models.gpt2 import gpt2_config
from hf_llm.tokenization.tokenizer import encode_document, train_bpe

TEXT = "red green blue, red green blue, red green blue"


@pytest.fixture(scope="module")
def tokenizer():
    return train_bpe(TEXT, 270)


def model(tokenizer, steps: int):
    """Return a tiny GPT-2 that has read `TEXT` and nothing else, `steps` times, to be looked into."""
    torch.manual_seed(0)
    config = gpt2_config("nano", vocab_size=len(tokenizer), n_positions=64, n_layer=1, n_head=2, n_embd=32)
    made = GPT2LMHeadModel(config)
    ids = torch.tensor([encode_document(tokenizer, TEXT).tolist()])
    optimizer = torch.optim.AdamW(made.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        made(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    return GPT2Explained.from_transformers(made.eval())


@pytest.fixture(scope="module")
def knows(tokenizer):
    return read(model(tokenizer, 60), tokenizer, TEXT)


@pytest.fixture(scope="module")
def knows_nothing(tokenizer):
    return read(model(tokenizer, 0), tokenizer, TEXT)


def test_who_has_read_it_sixty_times_recites_it_and_who_has_not_does_not(knows, knows_nothing):
    assert claims.recital(knows).by_heart
    assert not claims.recital(knows_nothing).by_heart
    found = claims.recital(knows)
    assert found.of == knows.T - 1
    assert found.right == sum(int(knows.logits[i].argmax()) == int(knows.ids[0, i + 1]) for i in range(knows.T - 1))


def test_a_copy_is_made_where_the_token_is_the_likeliest(knows, knows_nothing, tokenizer):
    begun = "red green blue, red green"
    copied = claims.copy(read(model(tokenizer, 60), tokenizer, begun), begun, " blue")
    assert copied.made
    assert copied.probability > 0.5
    assert not claims.copy(read(model(tokenizer, 0), tokenizer, begun), begun, " blue").made


def test_a_word_looks_at_an_earlier_one_by_the_weights_of_the_model(knows):
    found = claims.look(knows, TEXT, "green", "red")
    rows, columns = claims.positions(knows, TEXT, "green"), claims.positions(knows, TEXT, "red")
    _, seen = knows.model(knows.ids, capture=["layer.0.attention.weights"])
    weights = seen["layer.0.attention.weights"][0, :, rows[-1], columns].sum(-1)
    assert found.weight == pytest.approx(weights.max().item())
    assert found.head == int(weights.argmax())
    assert found.even == pytest.approx(len(columns) / (rows[-1] + 1))


@pytest.mark.parametrize(("looks", "at"), [("purple", "red"), ("red", "purple")])
def test_a_word_that_is_not_there_looks_at_nothing(knows, looks, at):
    assert claims.look(knows, TEXT, looks, at) is None


def test_the_positions_of_a_word_spell_it(knows):
    found = claims.positions(knows, TEXT, "blue")
    assert "blue" in "".join(knows.labels[i] for i in found)
