"""What is printed when a model is trained: what came out, where it is, and what to do next."""

import textwrap
from pathlib import Path


def language_model_report(folder: Path, manifest: dict) -> str:
    """Return the report of a finished language model."""
    data, metrics, config = manifest["data"], manifest["metrics"], manifest["config"]
    best, last = metrics["validation"], metrics["validation_last"]
    sample = manifest["sample"]["prompt"] + manifest["sample"]["text"]
    rows = {
        "corpus": f"{data['name']}: {data['bytes']:,} bytes, the last {config['validation_fraction']:.0%} held out",
        "model": f"GPT-2, {manifest['model']['parameters']:,} parameters, "
        f"vocabulary {manifest['tokenizer']['vocab_size']:,}",
        "training": _training(manifest, "tokens"),
        "validation": f"{best['bits_per_byte']:.3f} bits per byte (step {best['step']}, published), "
        f"{last['bits_per_byte']:.3f} at the last step",
        "it writes": textwrap.fill(sample, 62, subsequent_indent=" " * 16),
        "": "",
        "the model": f"{folder}  (loads with transformers alone)",
        "loss curve": f"{folder / 'figures' / 'loss.png'}",
        "model card": f"{folder / 'README.md'}",
        " ": "",
        "let it write": f'python scripts/generate.py --model {folder} --prompt "I had always thought"',
        "measure it": f"python scripts/evaluate_lm.py --model {folder} --corpus {data['name']}",
        "change it": "python scripts/pretrain.py --config configs/gpt2/verdict.yaml --n_layer 2 --output_dir runs/mine",
        "repeat it": f"python scripts/verify.py {folder}",
    }
    return _framed(rows)


def classifier_report(folder: Path, manifest: dict) -> str:
    """Return the report of a finished image classifier."""
    data, metrics, config = manifest["data"], manifest["metrics"], manifest["config"]
    best, last, test = metrics["validation"], metrics["validation_last"], metrics.get("test")
    rows = {
        "images": f"{data['name']}: {data['train_images']:,} to train on, {data['validation_images']:,} for validation",
        "model": f"{config['model']}, {manifest['model']['parameters']:,} parameters",
        "training": _training(manifest, "images"),
    }
    if "accuracy" in best:
        rows["validation"] = (
            f"{best['accuracy']:.2%} (step {best['step']}, published), {last['accuracy']:.2%} at the last step"
        )
    if test:
        low, high = test["interval_95"]
        rows["test"] = f"{test['accuracy']:.2%} of {test['images']:,} images, 95 % interval {low:.2%} to {high:.2%}"
    rows |= {
        "": "",
        "the model": f"{folder}  (loads with transformers and trust_remote_code=True)",
        "figures": f"{folder / 'figures'}",
        "model card": f"{folder / 'README.md'}",
        " ": "",
        "change it": f"python scripts/train_mnist.py --data {data['name']} --dropout 0.5 --output_dir runs/mnist/mine",
        "the exercise": "python scripts/dropout_study.py --output_dir runs/mnist/dropout-study --quick",
        "repeat it": f"python scripts/verify.py {folder}",
    }
    return _framed(rows)


def _training(manifest: dict, unit: str) -> str:
    minutes, seconds = divmod(round(manifest["wall_seconds"]), 60)
    resolved = manifest["resolved"]
    return (
        f"{minutes} min {seconds} s, {manifest[f'{unit}_per_second']:,.0f} {unit} per second, "
        f"{resolved['precision']} on {resolved['device']}"
    )


def _framed(rows: dict[str, str]) -> str:
    lines = [f"{name:<14}  {text}".rstrip() for name, text in rows.items()]
    return "\n".join(["─" * 78, *lines, "─" * 78])
