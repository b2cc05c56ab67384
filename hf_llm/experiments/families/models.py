"""The five families at toy scale, with about the same number of parameters, each with its own objective.

    BERT   encoder                reads both sides, guesses hidden tokens
    GPT    decoder                reads the past, predicts the next token       causal attention
    T5     encoder and decoder    reads a text with gaps, writes what is missing
    LSTM, GRU                     read the past token by token into a state, predict the next token

Everything is a class of transformers, or of this project's models for the recurrent ones, and saves and loads through
the Auto class beside it.
"""

from dataclasses import dataclass

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.language_runs import TextParts, language_task
from hf_llm.models.gpt2 import gpt2_config, new_gpt2, parameter_counts
from hf_llm.models.recurrent import new_recurrent, recurrent_of_size
from hf_llm.training.masked_lm import MaskedLM, with_mask_token
from hf_llm.training.sequence_to_sequence import SequenceToSequence, spans_of, with_sentinels
from hf_llm.training.task import Task

FAMILIES = {
    "bert": AutoModelForMaskedLM, "gpt": AutoModelForCausalLM, "t5": AutoModelForSeq2SeqLM,
    "lstm": AutoModelForCausalLM, "gru": AutoModelForCausalLM,
}  # fmt: skip
RECURRENT = ("lstm", "gru")
CAUSAL = ("gpt", *RECURRENT)  # compared with one another: the same objective on the same tokens
# deviation of the initial weights of GPT and BERT: the usual 0.02 is made for a width of 768, and where the width is 64
# no token heeds another for hundreds of steps
SPREAD = 0.1


@dataclass(frozen=True)
class Grid:
    """What the experiment runs."""

    vocab_size: int = 512  # of the BPE, about two bytes a token
    n_layer: int = 2  # T5: half of them in the encoder, half in the decoder
    n_head: int = 4
    n_embd: int = 64  # the recurrent models take the width that gives them GPT's number of parameters
    context: int = 64  # tokens of a window
    filled_context: int = 32  # of BERT and T5, which take far longer to learn where to look in a long window
    step_tokens: int = 1024  # that a step reads
    steps: int = 500
    filled_steps: int = 1000  # of BERT and T5: only 15 % of what they read teaches them
    evaluations: int = 10  # points of a curve, one of them at its middle
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)  # learning rates, of which validation picks one for GPT, LSTM, GRU
    search_steps: int = 250
    filled_rate: float = 1e-3  # of BERT and T5
    train_tokens: int | None = None
    judged_tokens: int = 30_000  # of the test; a third as many of validation, along the way
    windows: int = 400  # that are looked into

    def steps_of(self, family: str) -> int:
        return self.steps if family in CAUSAL else self.filled_steps

    def context_of(self, family: str) -> int:
        return self.context if family in CAUSAL else self.filled_context

    def batch_of(self, family: str) -> int:
        """Return the windows of a step."""
        return self.step_tokens // self.context_of(family)


FULL = Grid()
QUICK = Grid(
    vocab_size=400, n_embd=32, context=32, filled_context=32, step_tokens=512, steps=100, filled_steps=100,
    search_steps=20, evaluations=4, rates=(1e-2,), filled_rate=3e-3, judged_tokens=4_000, windows=64,
)  # fmt: skip


def grid_of(study: Study) -> Grid:
    return study.pick(QUICK, FULL)


def read_parts(grid: Grid) -> TextParts:
    """Return Tiny Shakespeare in three parts, or the embedded sample; the test part ends after `judged_tokens`."""
    parts = TextParts.read("tiny-shakespeare", grid.vocab_size)
    ids = parts.ids | {"test": parts.ids["test"][: grid.judged_tokens]}
    return TextParts(parts.corpus, ids)


def gpt_parameters(grid: Grid, vocab_size: int) -> int:
    return parameter_counts(gpt_shape(grid, vocab_size, grid.context))["total"]


def gpt_shape(grid: Grid, vocab_size: int, context: int) -> GPT2Config:
    config = gpt2_config("nano", vocab_size, context, grid.n_layer, grid.n_head, grid.n_embd, dropout=0.0)
    config.initializer_range = SPREAD
    return config


def new_causal_lm(family: str, grid: Grid, vocab_size: int, seed: int, context: int) -> PreTrainedModel:
    """Return an untrained GPT, LSTM or GRU that reads `context` tokens."""
    if family == "gpt":
        return new_gpt2(gpt_shape(grid, vocab_size, context), seed)
    config = recurrent_of_size(
        family, gpt_parameters(grid, vocab_size), vocab_size=vocab_size, n_layer=grid.n_layer, n_positions=context,
        dropout=0.0,
    )  # fmt: skip
    return new_recurrent(config, seed)


def new_task(family: str, parts: TextParts, grid: Grid, seed: int) -> Task:
    """Return an untrained model of a family with what it learns: GPT's width and depth for BERT and T5, too."""
    corpus, tokenizer, context, batch = (
        parts.corpus,
        parts.corpus.tokenizer,
        grid.context_of(family),
        grid.batch_of(family),
    )
    if family in CAUSAL:
        task = language_task(
            new_causal_lm(family, grid, len(tokenizer), seed, context), parts, batch, context, seed
        )  # fmt: skip
        task.eval_tokens = grid.judged_tokens // 3
        return task
    settings = {
        "context": context, "stride": 1, "total_batch_size": batch, "per_device_batch_size": batch, "seed": seed,
        "eval_tokens": grid.judged_tokens // 3,
    }  # fmt: skip
    if family == "bert":
        tokenizer = with_mask_token(tokenizer)
        return MaskedLM(new_bert(grid, len(tokenizer), seed), corpus, tokenizer, **settings)
    tokenizer = with_sentinels(tokenizer, spans_of(context)[1])
    return SequenceToSequence(new_t5(grid, len(tokenizer), seed), corpus, tokenizer, **settings)


def new_bert(grid: Grid, vocab_size: int, seed: int) -> BertForMaskedLM:
    config = BertConfig(
        vocab_size=vocab_size, hidden_size=grid.n_embd, num_hidden_layers=grid.n_layer,
        num_attention_heads=grid.n_head, intermediate_size=4 * grid.n_embd, max_position_embeddings=grid.filled_context,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=None, initializer_range=SPREAD,
    )  # fmt: skip
    return _seeded(BertForMaskedLM, config, seed)


def new_t5(grid: Grid, vocab_size: int, seed: int) -> T5ForConditionalGeneration:
    """Return a T5 with half of the layers on each side; a decoder's layer has a third sub-layer, which reads across."""
    half = max(1, grid.n_layer // 2)
    config = T5Config(
        vocab_size=vocab_size, d_model=grid.n_embd, d_kv=grid.n_embd // grid.n_head, d_ff=4 * grid.n_embd,
        num_layers=half, num_decoder_layers=half, num_heads=grid.n_head, dropout_rate=0.0, pad_token_id=0,
        eos_token_id=0, decoder_start_token_id=0,
    )  # fmt: skip
    return _seeded(T5ForConditionalGeneration, config, seed)


def _seeded(model_class: type[PreTrainedModel], config, seed: int) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_class(config)
