"""Drawn GPT-2 models: any width, head size, depth, context and vocabulary that a converter could stumble over."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers.processors import TemplateProcessing
from transformers import GPT2Tokenizer, PreTrainedTokenizerFast

from hf_llm.data import read_text
from hf_llm.exports.source import Source
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.tokenization.tokenizer import BYTES_VOCAB_SIZE, END_OF_TEXT

NARROWEST, WIDEST = 32, 768
LARGEST_VOCABULARY = 50257
CORNERS = (  # (n_embd, n_head, vocab_size) that are tried first
    (32, 1, BYTES_VOCAB_SIZE), (768, 12, LARGEST_VOCABULARY), (33, 3, 258), (35, 7, 1601), (768, 12, 257),
    (32, 16, LARGEST_VOCABULARY), (767, 13, 997), (65, 5, 4096),
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A model's sizes, and whether its tokenizer begins a document by itself."""

    n_embd: int
    n_head: int
    n_layer: int
    n_positions: int
    vocab_size: int
    begins_documents: bool
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.n_layer} layers, {self.n_head} heads of {self.n_embd // self.n_head}, width {self.n_embd}, context "
            f"{self.n_positions}, vocabulary {self.vocab_size}"
        )


def draw_shapes(count: int, seed: int) -> list[Shape]:
    """Draw shapes: the corners, then head sizes of 3 to 96 and vocabularies evenly over their logarithm."""
    draw = random.Random(seed)
    shapes = []
    for number in range(count):
        if number < len(CORNERS):
            width, heads, vocabulary = CORNERS[number]
        else:
            width = 0
            while not NARROWEST <= width <= WIDEST:
                heads = draw.randint(1, 16)
                width = heads * draw.randint(3, 96)
            vocabulary = round(BYTES_VOCAB_SIZE * (LARGEST_VOCABULARY / BYTES_VOCAB_SIZE) ** draw.random())
        layers, context, begins = draw.randint(1, 3), draw.randint(24, 160), draw.random() < 0.5
        shapes.append(Shape(width, heads, layers, context, vocabulary, begins, number))
    return shapes


def source_of(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> Source:
    """Return a model of a shape whose every parameter matters: an untrained one has no biases, and logits near 0.

    Args:
        shape: Its sizes.
        tokenizer: Of `vocab_size` tokens.
    """
    config = gpt2_config(
        "nano", len(tokenizer), shape.n_positions, shape.n_layer, shape.n_head, shape.n_embd, dropout=0.0
    )
    model = new_gpt2(config, shape.seed).eval()
    generator = torch.Generator().manual_seed(shape.seed)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = 0.2 if parameter.ndim == 1 else 1.5 / parameter.shape[-1] ** 0.5
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=spread)
    return Source("drawn", model, tokenizer, {}, "sample", read_text("sample").text)


def tokenizer_of(shape: Shape, files: list[Path]) -> PreTrainedTokenizerFast:
    """Return OpenAI's GPT-2 tokenizer with fewer merges, as if its training had stopped there.

    Args:
        shape: Says how many tokens, and whether it begins a document.
        files: Its vocab.json and merges.txt.
    """
    by_name = {path.name: path for path in files}
    published = json.loads(by_name["vocab.json"].read_text(encoding="utf-8"))
    lines = by_name["merges.txt"].read_text(encoding="utf-8").splitlines()
    merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    merges = merges[: shape.vocab_size - BYTES_VOCAB_SIZE]
    bytes_ = sorted(published, key=published.get)[: BYTES_VOCAB_SIZE - 1]
    tokens = [END_OF_TEXT, *bytes_, *map("".join, merges)]
    tokenizer = GPT2Tokenizer(
        vocab={token: id for id, token in enumerate(tokens)}, merges=merges, unk_token=None,
        bos_token=END_OF_TEXT, eos_token=END_OF_TEXT, pad_token=END_OF_TEXT,
    )  # fmt: skip
    if shape.begins_documents:
        begin_documents(tokenizer)
    return tokenizer


def begin_documents(tokenizer: PreTrainedTokenizerFast) -> None:
    """Make a tokenizer put its bos token before each text."""
    bos = tokenizer.bos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.bos_token_id)]
    )
