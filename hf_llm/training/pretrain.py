"""The job behind scripts/pretrain.py: a corpus and settings in, a run folder out.

corpus → tokenizer → token arrays → GPT-2 → plan → loop → best weights, evaluated → published folder
"""

import dataclasses
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from transformers import PreTrainedTokenizerFast

from hf_llm.config import UserError, as_dict, require
from hf_llm.data import Text, read_text, split_text
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.models.sizes import size_named
from hf_llm.runs.manifest import command_line, commit, environment
from hf_llm.runs.run import Run, open_run
from hf_llm.tokenization.bpe import check_unicode, load_tokenizer, token_byte_lengths, tokenizer_sha256, train_bpe
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.corpus import CORPUS_FILE, Corpus, corpus_from_text, load_corpus
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.plan import make_plan
from hf_llm.training.precision import resolve_precision
from hf_llm.training.publish import publish
from hf_llm.training.report import finished_report, print_evaluation
from hf_llm.training.trackers import Trackers

ENCODINGS = 32  # with BPE-dropout; more take seconds to make and no longer help

logger = logging.getLogger(__name__)


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
    processes = start_processes(config.threads)
    first = processes.is_main_process
    inputs = read_inputs(config)
    manifest = new_manifest(config, inputs, processes.num_processes)
    with open_run(Path(config.output_dir), manifest, config.save_total_limit, config.restart, first) as run:
        run.manifest = broadcast_object_list([run.manifest])[0]  # what the first process found in the folder
        if "metrics" not in run.manifest:
            _train_and_publish(config, inputs, run, processes)
    if first:
        print(finished_report(run.folder, run.manifest))
    manifest = broadcast_object_list([run.manifest])[0]
    processes.destroy_process_group()  # gloo's threads would abort a process that ends while they run
    return manifest


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


def new_manifest(config: PretrainConfig, inputs: Inputs, world_size: int) -> dict:
    """Return run.json as it is before training."""
    corpus = inputs.corpus
    return {
        "command": command_line(),
        "config": as_dict(config),
        "seed": config.seed,
        "data": {
            "name": corpus.name,
            "sha256": corpus.sha256,
            "bytes": corpus.bytes,
            "train_tokens": len(corpus.train),
            "validation_tokens": len(corpus.validation),
        },
        "tokenizer": {"sha256": tokenizer_sha256(inputs.tokenizer), "vocab_size": len(inputs.tokenizer)},
        "environment": environment(),
        "commit": commit(),
        "world_size": world_size,
        "resumed_from": [],
    }


def resolve(config: PretrainConfig, task: CausalLM, device: torch.device) -> dict:
    """Decide what `auto` means on this machine. Resuming and verifying use the record, not a new decision."""
    return {
        "precision": resolve_precision(config.precision, task, device),
        "compile": config.compile,
        "attention": config.attention,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
    }


def _train_and_publish(config: PretrainConfig, inputs: Inputs, run: Run, processes: PartialState) -> None:
    first = processes.is_main_process
    plan = make_plan(config, inputs.model_config, inputs.corpus, processes)
    if first:
        print(plan.describe())
    plan.require_fit()
    task = make_task(config, inputs, processes.num_processes)
    if "resolved" not in run.manifest:
        run.manifest["resolved"] = resolve(config, task, processes.device)
    resolved = run.manifest["resolved"]
    if first:
        run.write_manifest()

    def on_record(record: dict) -> None:
        trackers.log(record)
        if "validation_loss" in record:
            print_evaluation(record)

    settings = dataclasses.replace(config, precision=resolved["precision"], threads=resolved["threads"])
    with Trackers(config.report_to, run.folder, config) as trackers:
        result = train(task, settings, run, on_record)
    if first and result.step_seconds:
        print(f"measured: {result.step_seconds:.3g} s a step (predicted: {plan.step_seconds:.3g} s)")
    if result.interrupted:
        raise UserError(
            f"stopped at step {result.progress.step} of {config.max_steps}; "
            f"the checkpoint is in {run.checkpoints}; the same command goes on from there"
        )
    if first:
        publish(config, inputs, task, run, plan, result)
