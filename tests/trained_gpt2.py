"""A GPT-2 of three layers that has learned a little: equal numbers are worth more where the weights mean something."""

import pytest
import torch

from hf_llm.data import read_text
from hf_llm.models.gpt2 import gpt2_config, new_gpt2


@pytest.fixture(scope="session")
def sample_ids() -> torch.Tensor:
    """The first bytes of the sample as token ids, shape (2, 48): a vocabulary of 256 needs no tokenizer."""
    return torch.tensor(list(read_text("sample").text.encode("utf-8")[:96])).view(2, 48)


@pytest.fixture(scope="session")
def _trained():
    corpus = torch.tensor(list(read_text("sample").text.encode("utf-8")))
    config = gpt2_config("nano", vocab_size=256, n_positions=48, n_layer=3, n_head=4, n_embd=64, dropout=0.0)
    model = new_gpt2(config, seed=0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        starts = torch.randint(len(corpus) - 48, (16,), generator=generator)
        batch = torch.stack([corpus[start : start + 48] for start in starts])  # (16, 48)
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 3.2  # from ln(256) = 5.5: it has learned which letters are frequent, and what follows them
    return model.eval()


@pytest.fixture
def trained(_trained):
    """The trained model; whatever a test does to its weights is undone."""
    weights = {name: tensor.clone() for name, tensor in _trained.state_dict().items()}
    yield _trained
    _trained.load_state_dict(weights)
