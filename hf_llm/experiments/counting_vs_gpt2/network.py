"""The network: a GPT-2 whose vocabulary and training grow with the text by one rule, the same for every text.

Its tokenizer is a BPE of the training piece. Validation picks the step to keep; the test chooses nothing.
"""

from dataclasses import dataclass

import numpy as np
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.experiments.counting_vs_gpt2.pieces import Pieces
from hf_llm.experiments.shared.short_run import short_run
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.corpus import Corpus
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import BYTES_VOCAB_SIZE, encode_document, train_bpe
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.loop import train

SHAPE = {"n_layer": 2, "n_head": 4, "n_embd": 128, "n_positions": 64}
CONTEXT = SHAPE["n_positions"]
INITIAL_SCALE = 0.02 * (768 / SHAPE["n_embd"]) ** 0.5  # 0.02 is meant for GPT-2 small, 768 wide
WEIGHT_DECAY, EVALUATIONS = 0.1, 8  # validation picks one of so many steps
LARGEST_VOCABULARY, BYTES_PER_MERGE = 2000, 64
LEAST_STEPS, BYTES_PER_STEP = 80, 450  # 1 MB is read about three times
ENCODINGS = 16  # of the training piece, with BPE-dropout


@dataclass(frozen=True)
class Recipe:
    """What changes from one training to another; steps are brought to a multiple of the evaluations."""

    vocab_size: int
    steps: int
    batch: int = 8  # windows
    learning_rate: float = 3e-3
    dropout: float = 0.0  # this and the next two as in `PretrainConfig`
    input_noise: float = 0.0
    bpe_dropout: float = 0.0

    @classmethod
    def of_size(cls, size: int, most_steps: int | None = None) -> "Recipe":
        """Return the rule for `size` bytes of training text: more text, more tokens and more steps."""
        vocab_size = min(LARGEST_VOCABULARY, BYTES_VOCAB_SIZE + size // BYTES_PER_MERGE)
        steps = LEAST_STEPS + size // BYTES_PER_STEP
        return cls(vocab_size, steps if most_steps is None else min(most_steps, steps))


@dataclass(frozen=True)
class Network:
    """A GPT-2 with the weights of the step that validation picked."""

    model: GPT2LMHeadModel
    tokenizer: PreTrainedTokenizerFast
    step: int  # that was picked
    steps: int  # that were trained
    validation: float  # bits per byte at that step
    curve: list[dict]  # `step` and the test's bits per byte, `gpt2`, at each evaluation; empty where nobody watched

    def bits_per_byte(self, text: str) -> float:
        """Score the text as one document, each token from at least half a context."""
        return score(self.model, self.tokenizer, text)


def score(model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, text: str) -> float:
    ids, lengths = encode_document(tokenizer, text), token_byte_lengths(tokenizer)
    return evaluate_tokens(model, ids, lengths, stride=CONTEXT // 2, context=CONTEXT).bits_per_byte


def train_network(pieces: Pieces, recipe: Recipe, seed: int, watched: bool = False) -> Network:
    """Train on `pieces.train`; `seed` draws the weights and the order of the windows.

    A training that is `watched` scores the test at each evaluation, for a curve; it still chooses nothing.
    """
    corpus = corpus_of(pieces, recipe, seed)
    config = gpt2_config(**SHAPE, vocab_size=len(corpus.tokenizer), dropout=recipe.dropout)
    config.initializer_range = INITIAL_SCALE
    model = new_gpt2(config, seed)
    task = CausalLM(
        model, corpus, context=CONTEXT, stride=1, total_batch_size=recipe.batch, per_device_batch_size=recipe.batch,
        seed=seed, input_noise=recipe.input_noise,
    )  # fmt: skip
    every, best, curve = max(1, round(recipe.steps / EVALUATIONS)), {"bits_per_byte": np.inf}, []
    training = short_run(
        every * EVALUATIONS, recipe.learning_rate, seed, eval_steps=every, weight_decay=WEIGHT_DECAY,
        total_batch_size=recipe.batch, per_device_train_batch_size=recipe.batch,
    )  # fmt: skip

    def keep_the_best(record: dict) -> None:
        if record.get("bits_per_byte", np.inf) < best["bits_per_byte"]:
            best.update(record, weights={name: tensor.clone() for name, tensor in model.state_dict().items()})
        if watched:
            curve.append({"step": record["step"], "gpt2": score(model, corpus.tokenizer, pieces.test)})

    train(task, training, on_record=keep_the_best)
    model.load_state_dict(best["weights"])
    return Network(model, corpus.tokenizer, best["step"], training.max_steps, best["bits_per_byte"], curve)


def corpus_of(pieces: Pieces, recipe: Recipe, seed: int) -> Corpus:
    """Return the training and validation pieces as tokens, by a BPE of the training piece."""
    train_bytes, validation_bytes = (len(part.encode("utf-8")) for part in (pieces.train, pieces.validation))
    tokenizer = train_bpe(pieces.train, recipe.vocab_size)
    if recipe.bpe_dropout:
        encodings = encodings_with_dropout(tokenizer, pieces.train, recipe.bpe_dropout, ENCODINGS, seed)
    else:
        encodings = [encode_document(tokenizer, pieces.train)]
    return Corpus(
        name="a piece", sha256="", bytes=train_bytes + validation_bytes, validation_bytes=validation_bytes,
        held_out="the passage behind it", tokenizer=tokenizer,
        train=TokenArray(encodings), validation=TokenArray([encode_document(tokenizer, pieces.validation)]),
    )  # fmt: skip
