"""What is seen of a run: evaluations in the terminal and numbers in trackers while it trains, a report at the end."""

import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker
from accelerate.utils import is_tensorboard_available, is_trackio_available, is_wandb_available
from tqdm.auto import tqdm

from hf_llm.config import flag, program, read_back, require, typed
from hf_llm.evaluation.intervals import share_interval
from hf_llm.runs.run import Run
from hf_llm.tokenization.corpus import Corpus
from hf_llm.tokenization.token_array import TokenArray

AVAILABLE = {"tensorboard": is_tensorboard_available, "trackio": is_trackio_available, "wandb": is_wandb_available}


@contextmanager
def monitor(report_to: list[str], run: Run) -> Iterator[Callable[[dict], None]]:
    """Give the body a function that shows a record of the log.

    Args:
        report_to: Names of accelerate's trackers; log.jsonl is written without any.
        run: Its folder gives the trackers a name, its manifest the settings.

    Raises:
        UserError: When a tracker is not installed.
    """
    for name in report_to:
        require(AVAILABLE[name](), f"the tracker {name} is not installed; run: pip install {name}")
    trackers = [_tracker(name, run) for name in report_to]

    def show(record: dict) -> None:
        numbers = {name: value for name, value in record.items() if isinstance(value, (int, float))}
        for tracker in trackers:
            tracker.log(numbers, step=record["step"])
        if "validation_loss" in record:
            _print_evaluation(record)

    try:
        yield show
    finally:
        for tracker in trackers:
            tracker.finish()


def _tracker(name: str, run: Run) -> GeneralTracker:
    """Start one of accelerate's trackers; an `Accelerator` around it would follow its user's configuration too."""
    kind = LOGGER_TYPE_TO_CLASS[name]
    tracker = kind(run.folder.name, *([run.folder] if kind.requires_logging_directory else []))
    tracker.start()
    tracker.store_init_configuration({name: str(value) for name, value in run.manifest["config"].items()})
    return tracker


def _print_evaluation(record: dict) -> None:
    """Print one evaluation and the text that the model wrote at it, above the progress bar."""
    line = f"step {record['step']:>6}   loss {record['loss']:.3f}   validation {record['validation_loss']:.3f}"
    if "validation_accuracy" in record:
        line += f"   accuracy {record['validation_accuracy']:.2%}"
    if "bits_per_byte" in record:
        line += f"   {record['bits_per_byte']:.3f} bits per byte"
    tqdm.write(line)
    if "sample" in record:
        tqdm.write(textwrap.indent(textwrap.shorten(record["sample"], 150, placeholder=" …"), "             "))


def prompt_to_try(corpus: Corpus, wished: str) -> str:
    """Return `wished` where the corpus has it, else four words of the held-out part, of the same language."""
    if wished and wished.casefold() in _beginning(corpus, corpus.train).casefold():
        return wished
    _, _, text = _beginning(corpus, corpus.validation, 400).partition(" ")  # the split may have cut the first word
    words = re.search(r"(?<=\s)[^\W\d_]+(,? [^\W\d_]+){3}", text)
    return words.group() if words else ""


def _beginning(corpus: Corpus, tokens: TokenArray, most: int = 100_000) -> str:
    ids = tokens.window(0, min(len(tokens), most))
    return corpus.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def language_model_report(folder: Path, manifest: dict) -> str:
    """Return the report of a finished language model."""
    data, metrics, config = manifest["data"], manifest["metrics"], manifest["config"]
    best, last = metrics["validation"], metrics["validation_last"]
    sample = manifest["sample"]["prompt"] + manifest["sample"]["text"]
    prompt = manifest["sample"].get("to_try", manifest["sample"]["prompt"])  # a run of an earlier version has none
    prompt = flag("prompt", prompt) if prompt else []
    again = _without_output_dir(read_back(manifest["command"]))
    if "pretrain" not in " ".join(again):  # make demo has no settings
        again = ["hf-llm", "pretrain", "--config", "gpt2/verdict", *flag("corpus", data["name"])]
    rows = {
        "corpus": f"{data['name']}: {data['bytes']:,} bytes, the last {config['validation_fraction']:.0%} held out",
        "model": f"GPT-2, {manifest['model']['parameters']:,} parameters, "
        f"vocabulary {manifest['tokenizer']['vocab_size']:,}",
        "training": _training(manifest, "tokens"),
        "validation": f"{best['bits_per_byte']:.3f} bits per byte (step {best['step']}, published), "
        f"{last['bits_per_byte']:.3f} at the last step",
        **_beside(metrics),
        "it writes": textwrap.fill(sample, 62, subsequent_indent=" " * 16),
        "": "",
        "the model": f"{folder}  (loads with transformers alone)",
        "loss curve": f"{folder / 'figures' / 'loss.png'}",
        "model card": f"{folder / 'README.md'}",
        " ": "",
        "let it write": typed("hf-llm", "generate", *flag("model", folder), *prompt),
        "measure it": typed("hf-llm", "evaluate_lm", *flag("model", folder), *flag("corpus", data["name"])),
        "change it": typed(*again, "--n_layer", "2", "--output_dir", "runs/mine"),
        "repeat it": typed("hf-llm", "verify", folder),
    }
    return _framed(rows)


def _without_output_dir(words: list[str]) -> list[str]:
    """Return a command's words without its --output_dir."""
    kept = [word for word in words if not word.startswith("--output_dir=")]
    if "--output_dir" in kept:
        place = kept.index("--output_dir")
        kept[place : place + 2] = []
    return kept


def _beside(metrics: dict) -> dict[str, str]:
    """Return what the bits per byte are to be compared with; a run of an earlier version has none of it."""
    rows = {}
    if interval := metrics["validation"].get("bits_per_byte_interval_95"):
        rows["  95 %"] = "{:.3f} to {:.3f}, block bootstrap over the held-out text".format(*interval)
    if beside := metrics.get("baselines"):
        ngram, compressor = beside["ngram"], beside["compressor"]
        rows["without a net"] = (
            f"{ngram['bits_per_byte']:.3f} a byte {ngram['order']}-gram, which only counts; "
            f"{compressor['bits_per_byte']:.3f} {compressor['name']}"
        )
    return rows


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
        "change it": typed(
            "hf-llm", "train_mnist", *flag("data", data["name"]), "--dropout", "0.5", "--output_dir", "runs/mnist/mine"
        ),
        "the exercise": "hf-llm dropout_study --output_dir runs/mnist/dropout-study --quick",
        "repeat it": typed("hf-llm", "verify", folder),
    }
    return _framed(rows)


def finetuned_report(folder: Path, manifest: dict) -> str:
    """Return the report of a fine-tuned language model, a classifier of texts or one that went on with a corpus."""
    data, metrics, config = manifest["data"], manifest["metrics"], manifest["config"]
    best, before, test = metrics["validation"], metrics["before"], metrics.get("test")
    rows = {
        "from": f"{manifest['base']['name']}, {manifest['model']['parameters']:,} parameters",
        "trained": f"{manifest['model']['trained_parameters']:,} parameters (method {config['method']})",
        "training": _training(manifest, "messages" if config["task"] == "text-classification" else "tokens"),
    }
    if config["task"] == "text-classification":
        counts = f"{data['train_messages']:,} to train on, {data['validation_messages']:,} for validation"
        rows["messages"] = f"{data['name']}, without {data['duplicates']:,} duplicates: {counts}"
        rows["validation"] = f"accuracy {best['accuracy']:.2%}, F1 {best['f1']:.3f} (step {best['step']}, published)"
        if test:
            low, high = share_interval(test["correct"], test["messages"]).bounds
            rows["test"] = (
                f"accuracy {test['accuracy']:.2%} of {test['messages']:,}, 95 % interval {low:.2%} to {high:.2%}, "
                f"F1 {test['f1']:.3f}"
            )
    else:
        rows["corpus"] = f"{data['name']}: {data['bytes']:,} bytes, held out: {data['held_out']}"
        rows["validation"] = (
            f"{before['bits_per_byte']:.3f} bits per byte before, {best['bits_per_byte']:.3f} after "
            f"(step {best['step']}, published)"
        )
        sample = manifest["sample"]["prompt"] + manifest["sample"]["text"]
        rows["it writes"] = textwrap.fill(sample, 62, subsequent_indent=" " * 16)
    rows |= {
        "": "",
        "the model": f"{folder}  (loads with transformers alone)",
        "figures": f"{folder / 'figures'}",
        "model card": f"{folder / 'README.md'}",
        " ": "",
        "change it": typed(
            "hf-llm",
            "finetune",
            *flag("model", manifest["base"]["name"]),
            "--task",
            config["task"],
            *flag("data", data["name"]),
            "--method",
            "lora",
            "--output_dir",
            "runs/lora",
        ),
        "repeat it": typed("hf-llm", "verify", folder),
    }
    return _framed(rows)


def _training(manifest: dict, unit: str) -> str:
    minutes, seconds = divmod(round(manifest["wall_seconds"]), 60)
    resolved = manifest["resolved"]
    held = [sum(share.values()) / 1e6 for share in manifest.get("held_bytes", ())]  # where the model was sharded
    shares = f"; weights and moments in shares of {', '.join(f'{share:,.1f}' for share in held)} MB" if held else ""
    return (
        f"{minutes} min {seconds} s, {manifest[f'{unit}_per_second']:,.0f} {unit} per second, "
        f"{resolved['precision']} on {resolved['device']}{shares}"
    )


def _framed(rows: dict[str, str]) -> str:
    name_here = program()  # after `make demo` no environment is active, and its reader pastes what stands here
    lines = [f"{name:<14}  {re.sub('^hf-llm', lambda _: name_here, text)}".rstrip() for name, text in rows.items()]
    return "\n".join(["─" * 78, *lines, "─" * 78])
