"""The recipe behind hf-llm pretrain: from a corpus and settings to a GPT-2 in a folder of its own.

corpus and tokenizer → shape of the model → plan → windows of tokens → loop → best weights, scored beside baselines
→ published
"""

import torch
from transformers import GPT2Config

from hf_llm.data import Text
from hf_llm.evaluation.baselines import corpus_baselines
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.planning.plan import make_plan
from hf_llm.recipes.card import language_model_card
from hf_llm.recipes.figures import loss_figure
from hf_llm.recipes.publish import measured, plain_parts, publish
from hf_llm.recipes.report import language_model_report, monitor, prompt_to_try
from hf_llm.runs.run import open_run
from hf_llm.tokenization.corpus import Corpus, read_corpus
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.state import load_best


def pretrain(config: PretrainConfig) -> dict:
    """Train a GPT-2 as `config` says, or go on with the run that `config.output_dir` holds, and print what came out.

    Returns:
        The manifest (run.json); of a finished run it has `metrics`.

    Raises:
        UserError: For bad input, a plan that does not fit the machine, a diverged loss, a full disk, a signal.
    """
    processes = start_processes(config.threads)  # first: a launch that went wrong is refused before a tokenizer trains
    corpus, model_config = read_inputs(config)
    if processes.is_main_process:
        print(corpus.reading)

    with open_run("pretraining", config, processes, **corpus.facts()) as run:
        if not run.finished:
            plan = make_plan(config, model_config, corpus, processes)
            if processes.is_main_process:
                print(plan.describe())
            plan.require_fit()

            task = make_task(config, corpus, model_config, processes.num_processes)
            with monitor(config.report_to, run) as show:
                result = train(task, config, run, show, processes)

            if processes.is_main_process:
                last = best = task.scores(config.eval_stride) | {"step": result.progress.step}
                published_step = load_best(run, task.model, result.progress)
                if published_step != last["step"]:
                    best = task.scores(config.eval_stride) | {"step": published_step}
                torch.manual_seed(config.seed)
                times = measured(run, "tokens", result)
                run.manifest |= {
                    "model": {"parameters": task.model.num_parameters(), "config": model_config.to_diff_dict()},
                    "sample": {
                        "prompt": config.sample_prompt,
                        "text": task.sample(task.model),
                        "to_try": prompt_to_try(corpus, config.sample_prompt),
                    },
                    "flops_utilisation": plan.utilisation(times["tokens_per_second"]),
                    **times,
                }
                if result.step_seconds:
                    predicted = f" (predicted: {plan.step_seconds:.3g} s)" if plan.step_seconds else ""
                    print(f"measured: {result.step_seconds:.3g} s per step{predicted}")
                scores = {"train": {"loss": result.progress.train_loss}, "validation": best, "validation_last": last}
                scores["baselines"] = corpus_baselines(corpus)
                publish(
                    run,
                    parts=plain_parts(task.model, corpus.tokenizer),
                    scores=scores,
                    figures={"loss": loss_figure(run.log.records(), published_step)},
                    card=language_model_card(run.folder, run.manifest, scores),
                )
        if processes.is_main_process:
            print(language_model_report(run.folder, run.manifest))
    processes.destroy_process_group()  # gloo's threads would abort a process that ends while they run
    return run.manifest


def read_inputs(config: PretrainConfig, text: Text | None = None) -> tuple[Corpus, GPT2Config]:
    """Return the corpus that `config` names, or `text` as one, and the shape of the model; errors as in `pretrain`."""
    corpus = read_corpus(text or config.corpus, **config.encoding)
    return corpus, model_shape(config, corpus)


def model_shape(config: PretrainConfig, corpus: Corpus) -> GPT2Config:
    """Return the shape of the model: what `config` says, and what the tokenizer of `corpus` decides."""
    vocab_size, start = len(corpus.tokenizer), int(corpus.train.window(0, 1)[0])  # what begins each document
    return gpt2_config(vocab_size=vocab_size, bos_token_id=start, **config.shape)


def make_task(config: PretrainConfig, corpus: Corpus, model_config: GPT2Config, world_size: int = 1) -> CausalLM:
    """Return the task: an untrained model, its windows and its validation tokens."""
    model = new_gpt2(model_config, config.seed)
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    return CausalLM(
        model,
        corpus,
        context=config.context,
        stride=config.sample_stride or config.context,
        total_batch_size=config.total_batch_size,
        per_device_batch_size=config.per_device_train_batch_size,
        world_size=world_size,
        seed=config.seed,
        eval_tokens=config.eval_tokens,
        input_noise=config.input_noise,
        sample_prompt=config.sample_prompt,
        sample_tokens=config.sample_tokens,
    )
