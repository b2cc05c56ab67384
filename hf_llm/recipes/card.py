"""The model card of a causal language model, from the manifest: README.md with metadata that the Hub understands."""

import json
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from hf_llm.runs.atomic import write_text

TEMPLATE = Path(__file__).with_name("card.md")
LANGUAGES = {"the-verdict": ["en"], "tiny-shakespeare": ["en"], "sample": ["pt", "en"]}  # of other texts nobody told us


def write_language_model_card(folder: Path, manifest: dict) -> None:
    """Write README.md into the run folder.

    Args:
        folder: The run folder; its name becomes the model's.
        manifest: run.json with `metrics`, `model` and `sample`.
    """
    validation, last = manifest["metrics"]["validation"], manifest["metrics"]["validation_last"]
    data, tokenizer, config = manifest["data"], manifest["tokenizer"], manifest["config"]
    shape = manifest["model"]["config"]
    name = folder.resolve().name
    card_data = ModelCardData(
        language=LANGUAGES.get(data["name"]),
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["gpt2", "hf_llm", "from-scratch"],
        model_name=name,
        eval_results=[
            EvalResult(
                task_type="text-generation",
                dataset_type=data["name"],
                dataset_name=data["name"],
                dataset_split="validation",
                metric_type=metric,
                metric_value=round(validation[metric], 4),
            )
            for metric in ("bits_per_byte", "perplexity")
        ],
    )
    resolved, versions = manifest["resolved"], manifest["environment"]["versions"]
    card = ModelCard.from_template(
        card_data,
        template_path=str(TEMPLATE),
        name=name,
        where=folder.as_posix(),
        parameters=f"{manifest['model']['parameters']:,}",
        parameters_pt=in_portuguese(f"{manifest['model']['parameters']:,}"),
        corpus=data["name"],
        shape=(
            f"{shape['n_layer']} layers, {shape['n_head']} heads, {shape['n_embd']} wide, context "
            f"{shape['n_positions']} tokens, byte-level BPE of {tokenizer['vocab_size']:,} tokens."
        ),
        prompt=json.dumps(manifest["sample"]["prompt"] or "I", ensure_ascii=False)[1:-1],  # within quotes of Python
        figures=markdown_table(
            ["held-out text", "bits per byte", "perplexity a token", "nats a token", "step"],
            [
                [label, f"{f['bits_per_byte']:.4f}", f"{f['perplexity']:.2f}", f"{f['loss']:.4f}", f["step"]]
                for label, f in (("best weights (published)", validation), ("last weights", last))
            ],
        ),
        eval_stride=validation["eval_stride"],
        bits_per_byte_pt=in_portuguese(f"{validation['bits_per_byte']:.2f}"),
        sample_prompt=manifest["sample"]["prompt"] or "(none)",
        sample=manifest["sample"]["text"].replace("```", "'''"),
        training=markdown_table(
            ["", ""],
            [
                ["corpus", f"{data['name']}, {data['bytes']:,} bytes, SHA-256 `{data['sha256'][:16]}…`"],
                ["held out", f"{data['held_out']}: {data['validation_tokens']:,} tokens, for validation alone"],
                ["training tokens", f"{data['train_tokens']:,}"],
                ["tokenizer", f"{tokenizer['vocab_size']:,} tokens, SHA-256 `{tokenizer['sha256'][:16]}…`"],
                ["steps", f"{config['max_steps']:,} of {config['total_batch_size']} sequences"],
                ["optimizer", f"{config['optimizer']}, peak learning rate {config['learning_rate']:g}, cosine"],
                ["regularisation", f"dropout {config['dropout']:g}, weight decay {config['weight_decay']:g}"],
                ["precision", f"{resolved['precision']} on {resolved['device']}, {resolved['threads']} thread(s)"],
                ["time", f"{manifest['wall_seconds']:.0f} s, {manifest['tokens_per_second']:,.0f} tokens a second"],
                ["peak memory", f"{manifest['peak_memory_bytes'] / 2**20:,.0f} MiB"],
            ],
        ),
        command=manifest["command"],
        seed=manifest["seed"],
        commit=manifest["commit"] or "unknown",
        versions=", ".join(f"{package} {number}" for package, number in versions.items() if number),
    )
    write_text(folder / "README.md", str(card))


def markdown_table(header: list[str], rows: list[list]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def in_portuguese(number: str) -> str:
    """Return a number that was written in English, such as 1,234.5, as Portuguese writes it."""
    return number.translate(str.maketrans(",.", ".,"))
