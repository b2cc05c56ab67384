"""The job behind scripts/pretrain.py: a corpus and settings in, a run folder out.

corpus → tokenizer → token arrays → GPT-2 → plan → loop → best weights, evaluated → published folder
"""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from transformers import PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.data import Text, read_text, split_text
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.models.sizes import size_named
from hf_llm.planning.plan import Plan, make_plan
from hf_llm.recipes.card import write_language_model_card
from hf_llm.recipes.figures import loss_figure
from hf_llm.recipes.job import Job, run_job
from hf_llm.recipes.report import finished_report
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.corpus import CORPUS_FILE, Corpus, corpus_from_text, load_corpus
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import check_unicode, load_tokenizer, token_byte_lengths, tokenizer_sha256, train_bpe
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import TrainingResult

ENCODINGS = 32  # with BPE-dropout; more take seconds to make and no longer help


@dataclass(frozen=True)
class Inputs:
    """What a run is made from, before any weights exist."""

    corpus: Corpus
    tokenizer: PreTrainedTokenizerFast
    model_config: object  # GPT2Config


def pretrain(config: PretrainConfig) -> dict:
    """Train a GPT-2 as `config` says, or go on with the run that `config.output_dir` holds, and print what came out.

    Returns:
        The manifest (run.json); of a finished run it has `metrics`.

    Raises:
        UserError: For bad input, a plan that does not fit the machine, a diverged loss, a full disk, a signal.
    """
    start_processes(config.threads)  # a launch that went wrong is refused before a tokenizer is trained
    return run_job(Pretraining(config, read_inputs(config)))


def read_inputs(config: PretrainConfig) -> Inputs:
    """Read or map the corpus that `config` names; errors as in `inputs_from_text`."""
    check_unicode(config.sample_prompt)  # now rather than at the first evaluation
    if not os.path.exists(os.path.join(config.corpus, CORPUS_FILE)):  # Path.exists raises where a name is too long
        return inputs_from_text(read_text(config.corpus), config)
    require(not config.bpe_dropout, "bpe_dropout needs a text: a prepared corpus is encoded once and for all")
    tokenizer = load_tokenizer(config.tokenizer or config.corpus)
    return _with_model(load_corpus(config.corpus, tokenizer), tokenizer, config)


def inputs_from_text(text: Text, config: PretrainConfig) -> Inputs:
    """Load the tokenizer or train it on the training part alone, and encode both parts.

    Raises:
        UserError: When the text is too short, or the tokenizer cannot be had.
    """
    training_part, _ = split_text(text.text, config.validation_fraction)
    context, most = config.n_positions or size_named(config.model).n_positions, len(training_part.encode("utf-8")) + 1
    require(  # before a tokenizer is trained: a byte gives one token at most
        most > context,
        f"{text.name} gives at most {most} training tokens, fewer than one context of {context}; "
        f"take a longer text or set --n_positions {max(2, most // 16)}",
    )
    tokenizer = load_tokenizer(config.tokenizer) if config.tokenizer else train_bpe(training_part, config.vocab_size)
    corpus = corpus_from_text(text, tokenizer, config.validation_fraction)
    if config.bpe_dropout:
        encodings = encodings_with_dropout(tokenizer, training_part, config.bpe_dropout, ENCODINGS, config.seed)
        corpus = dataclasses.replace(corpus, train=TokenArray(encodings))
    return _with_model(corpus, tokenizer, config)


def _with_model(corpus: Corpus, tokenizer: PreTrainedTokenizerFast, config: PretrainConfig) -> Inputs:
    """Add the model's configuration, and check that the corpus fills its context."""
    model_config = gpt2_config(
        config.model, len(tokenizer), config.n_positions, config.n_layer, config.n_head, config.n_embd,
        config.dropout, tokenizer.bos_token_id, config.attention,
    )  # fmt: skip
    context = model_config.n_positions
    require(
        len(corpus.train) > context,
        f"{corpus.name} gives {len(corpus.train)} training tokens, fewer than one context of {context}; "
        f"take a longer text or set --n_positions {max(2, len(corpus.train) // 4)}",
    )
    require(  # the final evaluation would find it, when the training is over
        (config.eval_stride or 1) <= context,
        f"eval_stride {config.eval_stride} is more than the context of {context} tokens; lower it, or leave it out",
    )
    return Inputs(corpus, tokenizer, model_config)


def make_task(config: PretrainConfig, inputs: Inputs, world_size: int = 1) -> CausalLM:
    """Return the task: an untrained model, its windows and its validation tokens."""
    model = new_gpt2(inputs.model_config, config.seed)
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    settings = GenerationSettings(max_new_tokens=config.sample_tokens, seed=config.seed)
    context = inputs.model_config.n_positions
    return CausalLM(
        model,
        inputs.corpus.train,
        np.concatenate(inputs.corpus.validation.shards),
        token_byte_lengths(inputs.tokenizer),
        context=context,
        stride=config.sample_stride or context,
        total_batch_size=config.total_batch_size,
        per_device_batch_size=config.per_device_train_batch_size,
        world_size=world_size,
        seed=config.seed,
        eval_tokens=config.eval_tokens,
        input_noise=config.input_noise,
        sampler=lambda model: generate(model, inputs.tokenizer, config.sample_prompt, settings).text,
    )


class Pretraining(Job):
    """GPT-2 from random weights: the plan first, then windows of a corpus, then the card of a causal LM."""

    name = "pretraining"

    def __init__(self, config: PretrainConfig, inputs: Inputs):
        self.config, self.read = config, inputs
        self.plan: Plan | None = None

    def inputs(self) -> dict:
        corpus, tokenizer = self.read.corpus, self.read.tokenizer
        return {
            "data": {
                "name": corpus.name,
                "sha256": corpus.sha256,
                "bytes": corpus.bytes,
                "held_out": corpus.held_out,
                "train_tokens": len(corpus.train),
                "validation_tokens": len(corpus.validation),
            },
            "tokenizer": {"sha256": tokenizer_sha256(tokenizer), "vocab_size": len(tokenizer)},
        }

    def prepare(self, processes: PartialState) -> CausalLM:
        self.plan = make_plan(self.config, self.read.model_config, self.read.corpus, processes)
        if processes.is_main_process:
            print(self.plan.describe())
        self.plan.require_fit()
        return make_task(self.config, self.read, processes.num_processes)

    def score(self, task: CausalLM) -> dict:
        """Return loss, perplexity and bits per byte of the whole validation part, in fp32."""
        stride = self.config.eval_stride or max(1, task.context // 2)
        scores = evaluate_tokens(task.model, task.validation, task.byte_lengths, stride=stride, context=task.context)
        return {
            "loss": scores.loss,
            "perplexity": scores.perplexity,
            "bits_per_byte": scores.bits_per_byte,
            "eval_stride": stride,
        }

    def describe(self, task: CausalLM, result: TrainingResult, speed: float) -> dict:
        if result.step_seconds:
            print(f"measured: {result.step_seconds:.3g} s a step (predicted: {self.plan.step_seconds:.3g} s)")
        torch.manual_seed(self.config.seed)
        return {
            "model": {"parameters": task.model.num_parameters(), "config": self.read.model_config.to_diff_dict()},
            "sample": {"prompt": self.config.sample_prompt, "text": task.sample(task.model)},
            "flops_utilisation": round(self.plan.utilisation(speed), 3),
        }

    def parts(self, task: CausalLM) -> list:
        return [task.model, self.read.tokenizer]

    def draw(self, task: CausalLM, records: list[dict], folder: Path, published_step: int) -> None:
        loss_figure(records, folder / "loss.png", published_step)

    def write_card(self, folder: Path, manifest: dict) -> None:
        write_language_model_card(folder, manifest)

    def report(self, folder: Path, manifest: dict) -> str:
        return finished_report(folder, manifest)
