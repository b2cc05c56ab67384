"""The model card of a run: README.md with metadata that the Hub understands, in English and in Portuguese.

`card.md` is the form of every card, `texts.yaml` has what it says; here are the values, from the manifest.
"""

import json
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from hf_llm.config import last_name
from hf_llm.runs.manifest import manifest_for_others
from hf_llm.texts import Language, Translated, both, text

TEMPLATE = Path(__file__).with_name("card.md")
LANGUAGES = {  # unknown of other texts
    "the-verdict": ["en"], "tiny-shakespeare": ["en"], "dom-casmurro": ["pt"], "sms-spam": ["en"],
    "sample": ["pt", "en"],
}  # fmt: skip
OWN_CODE = ("mlp", "lenet")
OFF_AT_ZERO = ("input_dropout", "max_weight_norm", "batch_norm", "max_shift", "max_turn", "elastic")
HEADLINES = ("bits_per_byte", "perplexity")
GENERATE = """from transformers import pipeline

write = pipeline("text-generation", model="{folder}")
print(write("{prompt}")[0]["generated_text"])"""
CLASSIFY = """from transformers import pipeline

classify = pipeline("image-classification", model="{folder}"{remote})
print(classify("digit.png"))"""


def language_model_card(folder: Path, manifest: dict, scores: dict) -> str:
    """Return the card of a causal language model.

    Args:
        folder: The run folder; its name becomes the model's.
        manifest: run.json with `model`, `sample` and times.
        scores: As `publish` takes them.
    """
    manifest = manifest_for_others(manifest)
    data, tokenizer, prompt = manifest["data"], manifest["tokenizer"], manifest["sample"]["prompt"]
    best, last, beside = scores["validation"], scores["validation_last"], scores["baselines"]
    values = {
        **manifest["model"]["config"],
        **data,
        "corpus": data["name"],
        "vocab_size": tokenizer["vocab_size"],
        "tokenizer_sha256": tokenizer["sha256"][:16],
        "prompt": prompt,
        **{f"best_{name}": value for name, value in best.items()},
        **{f"last_{name}": value for name, value in last.items()},
        **{f"{who}_{name}": value for who in ("ngram", "compressor") for name, value in beside[who].items()},
        **beside,
    }
    return model_card(
        "language_model",
        folder,
        manifest,
        values,
        code=GENERATE.format(folder=name_in_code(folder), prompt=json.dumps(prompt or "I", ensure_ascii=False)[1:-1]),
        optional=["prompt"] if prompt else [],
        sample=manifest["sample"]["text"].replace("```", "'''"),
        pictures=["loss"],
        metadata={
            "language": LANGUAGES.get(data["name"]),
            "pipeline_tag": "text-generation",
            "tags": ["gpt2", "hf_llm", "from-scratch"],
            "eval_results": hub_results("text-generation", data["name"], "validation", best, *HEADLINES),
        },
    )


def classifier_card(folder: Path, manifest: dict, scores: dict, pictures: list[str]) -> str:
    """Return the card of an image classifier; arguments as above, and the names of its figures."""
    manifest = manifest_for_others(manifest)
    config, data = manifest["config"], manifest["data"]
    parts = [part for part in ("test", "validation", "validation_last") if "accuracy" in scores.get(part, {})]
    sizes = config["hidden_sizes"] or manifest["model"]["config"].get("hidden_sizes", [])
    own_code = config["model"] in OWN_CODE
    regularizers = ["always", *(name for name in OFF_AT_ZERO if config[name])]
    values = {
        **data,
        "images": data["name"],
        "architecture": both(
            f"recipes.classifier.{config['model']}", sizes="-".join(map(str, sizes)), activation=config["activation"]
        ),
        "rows": joined([_row(part, scores[part]) for part in parts], "\n"),
        "picked": both(f"recipes.classifier.{'best' if 'accuracy' in scores['validation'] else 'last'}_published"),
        "regularization": joined([both(f"recipes.classifier.{name}", **config) for name in regularizers], ", "),
    }
    headline = parts[:1]  # the test set where it was measured
    results = [hub_results("image-classification", data["name"], part, scores[part], "accuracy") for part in headline]
    return model_card(
        "classifier",
        folder,
        manifest,
        values,
        code=CLASSIFY.format(folder=name_in_code(folder), remote=", trust_remote_code=True" if own_code else ""),
        optional=["own_code"] if own_code else [],
        pictures=pictures,
        metadata={
            "datasets": ["ylecun/mnist"] if data["name"] in ("mnist", "ylecun/mnist") else None,  # the Hub links to it
            "pipeline_tag": "image-classification",
            "tags": [config["model"], "hf_llm", "from-scratch"],
            "eval_results": results[0] if results else None,
        },
    )


def model_card(
    kind: str, folder: Path, manifest: dict, values: dict, *,
    code: str, optional: list[str], pictures: list[str], metadata: dict, sample: str = "",
) -> str:  # fmt: skip
    """Return the card: metadata, then the same texts and tables in both languages.

    Args:
        kind: Whose texts, as `texts.yaml` names it.
        folder, manifest: As above.
        values: What fills the texts, beside the manifest, its settings and what they were resolved to.
        code: How to use the model, in Python.
        optional: Keys of texts that not every card of the kind has.
        pictures: Names of the figures.
        metadata: What `ModelCardData` takes.
        sample: A text that the model wrote.
    """
    name, versions = folder.resolve().name, manifest["environment"]["versions"]
    values = {
        **manifest["config"],
        **manifest["resolved"],
        **manifest,
        **values,
        "parameters": manifest["model"]["parameters"],
        "sha256": manifest["data"]["sha256"][:16],
        "mebibytes": manifest["peak_memory_bytes"] / 2**20,
        "seed": str(manifest["seed"]),
        "commit": manifest["commit"] or "unknown",
        "versions": ", ".join(f"{package} {version}" for package, version in versions.items() if version),
    }

    def texts_in(lang: Language) -> dict[str, str]:
        shared = ("use", "results", "sample", "data", "reproduce", "limits", "made_with")
        own = ("description", "use_with", "scores", "training", "not_for", *optional)
        keys = [*(f"card.{key}" for key in shared), *(f"{kind}.{key}" for key in own)]
        return {key.split(".")[1]: text(f"recipes.{key}", lang, **values) for key in keys}

    card_data = ModelCardData(**metadata, license="apache-2.0", library_name="transformers", model_name=name)
    card = ModelCard.from_template(
        card_data, template_path=str(TEMPLATE), name=name, code=code, sample=sample, command=manifest["command"],
        pictures=pictures, english=texts_in("en"), portuguese=texts_in("pt-BR"),
    )  # fmt: skip
    return f"{str(card).rstrip()}\n"


def name_in_code(folder: Path) -> str:
    """Return how a card's Python code calls the model: by its folder as it was given, of an absolute path the name.

    A push puts the name on the Hub in its place.
    """
    return last_name(folder.as_posix()).replace("\\", r"\\").replace('"', r"\"")


def hub_results(task: str, data: str, split: str, scores: dict, *metrics: str) -> list[EvalResult]:
    """Return measured values in the form of the Hub."""
    of = {"task_type": task, "dataset_type": data, "dataset_name": data, "dataset_split": split.split("_")[0]}
    return [EvalResult(**of, metric_type=metric, metric_value=round(scores[metric], 4)) for metric in metrics]


def _row(part: str, score: dict) -> Translated:
    low, high = score["interval_95"]
    values = {"part": both(f"recipes.classifier.{part}"), "errors": score["images"] - score["correct"], **score}
    return both("recipes.classifier.row", low=low, high=high, **values)


def joined(parts: list[Translated], separator: str) -> Translated:
    return Translated(separator.join(parts), separator.join(part.portuguese for part in parts))
