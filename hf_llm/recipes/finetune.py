"""The recipe behind hf-llm finetune: a pretrained language model learns another corpus, or to classify texts.

pretrained model and data → what is trained of it → loop → best weights, scored → the test part, once → published
"""

from hf_llm.models.adaptation import freeze, sequence_classifier, with_lora, without_lora
from hf_llm.recipes.finetune_card import finetuned_card
from hf_llm.recipes.finetune_config import FinetuneConfig
from hf_llm.recipes.finetune_figures import finetune_figures
from hf_llm.recipes.finetune_inputs import Inputs, read_inputs
from hf_llm.recipes.publish import measured, plain_parts, publish
from hf_llm.recipes.report import finetuned_report, monitor
from hf_llm.runs.run import open_run
from hf_llm.training.causal_lm import CausalLM
from hf_llm.training.launch import start_processes
from hf_llm.training.loop import train
from hf_llm.training.state import load_best
from hf_llm.training.text_classification import TextClassification


def finetune(config: FinetuneConfig) -> dict:
    """Train a pretrained model further as `config` says, or go on with the run that `config.output_dir` holds.

    Returns:
        The manifest (run.json); of a finished run it has `metrics`.

    Raises:
        UserError: For a model or data that cannot be had, a diverged loss, a full disk, a signal.
    """
    processes = start_processes(config.threads)
    inputs = read_inputs(config)
    if processes.is_main_process:
        print(inputs.data.reading)

    with open_run("finetuning", config, processes, **inputs.facts(config)) as run:
        if not run.finished:
            task = make_task(config, inputs, processes.num_processes)
            trained = sum(weights.numel() for weights in task.model.parameters() if weights.requires_grad)
            if processes.is_main_process:
                print(
                    f"{config.model}, of which {config.method} trains {trained:,} parameters; {config.max_steps:,} "
                    f"steps of {config.total_batch_size} on {inputs.data.name}; accumulation {task.plan.accumulation}"
                )
                before = task.scores() | {"step": 0}
            with monitor(config.report_to, run) as show:
                result = train(task, config, run, show, processes)

            if processes.is_main_process:
                last = task.scores() | {"step": result.progress.step}
                published_step = load_best(run, task.model, result.progress)
                task.model = without_lora(task.model)  # measured as it is published: adapters within the weights
                best = task.scores() | {"step": published_step}
                scores = {"train": {"loss": result.progress.train_loss}, "before": before}
                scores |= {"validation": best, "validation_last": last}
                if config.classifies and config.test:
                    scores["test"] = task.scores(inputs.data.parts["test"]) | {"step": published_step}
                figures = finetune_figures(run.log.records(), scores, inputs.facts(config)["data"])
                run.manifest |= {
                    "model": {
                        "parameters": task.model.num_parameters(),
                        "trained_parameters": trained,
                        "config": task.model.config.to_diff_dict(),
                    },
                    "sample": {"prompt": config.sample_prompt, "text": task.sample(task.model) or ""},
                    **measured(run, task.unit, result),
                }
                publish(
                    run,
                    parts=plain_parts(task.model, inputs.published_tokenizer),
                    scores=scores,
                    figures=figures,
                    card=finetuned_card(run.folder, run.manifest, scores, list(figures)),
                )
        if processes.is_main_process:
            print(finetuned_report(run.folder, run.manifest))
    processes.destroy_process_group()  # gloo's threads would abort a process that ends while they run
    return run.manifest


def make_task(config: FinetuneConfig, inputs: Inputs, world_size: int = 1) -> CausalLM | TextClassification:
    """Return the task: the pretrained model, with what is trained of it set free, and its data."""
    model = inputs.model
    if config.classifies:
        classes = inputs.data.parts["train"].classes
        model = sequence_classifier(model, classes, inputs.tokenizer.pad_token_id, config.seed)
    if config.method == "head":
        model = freeze(model)
    if config.method == "lora":
        model = with_lora(model, config.lora_rank, config.lora_alpha, config.lora_dropout, config.seed)
    batches = {
        "context": inputs.context, "total_batch_size": config.total_batch_size,
        "per_device_batch_size": config.per_device_train_batch_size, "world_size": world_size, "seed": config.seed,
    }  # fmt: skip
    if config.classifies:
        parts = inputs.data.parts
        return TextClassification(model, inputs.tokenizer, parts["train"], parts["validation"], **batches)
    return CausalLM(
        model,
        inputs.data,
        **batches,
        stride=config.sample_stride or inputs.context,
        eval_tokens=config.eval_tokens,
        sample_prompt=config.sample_prompt,
        sample_tokens=config.sample_tokens,
    )
