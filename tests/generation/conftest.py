"""A byte tokenizer, a tiny GPT-2 with a sure opinion, and a model that says what it is told to."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from hf_llm.data import read_text
from hf_llm.tokenization.tokenizer import encode, train_bpe

CONTEXT = 32


def tiny_config(vocab_size: int, context: int = CONTEXT) -> GPT2Config:
    # weights ten times GPT-2's, or the logits are all but equal and greedy text hangs on rounding; an output matrix of
    # its own, or a random model repeats its last token
    return GPT2Config(
        vocab_size=vocab_size,
        n_positions=context,
        n_embd=32,
        n_layer=2,
        n_head=2,
        initializer_range=0.2,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )


@pytest.fixture(scope="session")
def byte_tokenizer():
    return train_bpe("any text", 257)


@pytest.fixture(scope="session")
def tokenizer():
    return train_bpe(read_text("sample").text, 320)


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(0)
    return GPT2LMHeadModel(tiny_config(len(tokenizer))).eval()


class Scripted(GPT2LMHeadModel):
    """Predicts the tokens of `script` one after the other, whatever it reads."""

    script: list[int]

    def forward(self, input_ids=None, past_key_values=None, **kwargs):
        logits = torch.zeros(1, 1, self.config.vocab_size)
        logits[0, 0, self.script.pop(0)] = 10.0
        return CausalLMOutputWithPast(logits=logits, past_key_values=None)


@pytest.fixture
def scripted():
    """Return a function: (tokenizer, text or token ids) -> a model that says this and then ends the text."""

    def build(tokenizer, content: str | list[int]) -> Scripted:
        model = Scripted(tiny_config(len(tokenizer), context=1024)).eval()
        model.script = [*(encode(tokenizer, content).tolist() if isinstance(content, str) else content), 0]
        return model

    return build
