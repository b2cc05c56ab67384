"""The model card of a fine-tuned model, which says what it was made from and how much of that was trained."""

import json
from pathlib import Path

from hf_llm.evaluation.intervals import share_interval
from hf_llm.recipes.card import GENERATE, HEADLINES, LANGUAGES, hub_results, joined, model_card, name_in_code
from hf_llm.runs.manifest import manifest_for_others
from hf_llm.texts import Translated, both

CLASSIFY = """from transformers import pipeline

classify = pipeline("text-classification", model="{folder}", truncation=True)
print(classify("You have won 1000 pounds! Call now"))"""


def finetuned_card(folder: Path, manifest: dict, scores: dict, pictures: list[str]) -> str:
    """Return the card.

    Args:
        folder: The run folder; its name becomes the model's.
        manifest: run.json with `base`, `model`, `sample` and times.
        scores: As `publish` takes them.
        pictures: Names of the figures.
    """
    task, local = manifest["config"]["task"], Path(manifest["base"]["name"]).is_dir()
    manifest = manifest_for_others(manifest)
    data, base = manifest["data"], manifest["base"]
    prompt, classifies = manifest["sample"]["prompt"], task == "text-classification"
    parts = [part for part in ("test", "validation", "validation_last", "before") if part in scores]
    values = {
        **data,
        "data_name": data["name"],
        "base": base["name"],
        "base_sha256": base["sha256"][:16],
        "architecture": base["kind"],
        "trained": both(f"recipes.finetuned.{manifest['config']['method']}", **manifest["config"], **manifest["model"]),
        "rows": joined([_row(part, scores[part], classifies) for part in parts], "\n"),
        "tokenizer_sha256": manifest["tokenizer"]["sha256"][:16],
        "prompt": prompt,
    }
    if classifies:
        values["names"] = ", ".join(data["classes"])
    headline = parts[0]  # the test part where it was measured
    metrics = ("accuracy", "f1") if classifies else HEADLINES
    code = (CLASSIFY if classifies else GENERATE).format(
        folder=name_in_code(folder), prompt=json.dumps(prompt or "I", ensure_ascii=False)[1:-1]
    )
    return model_card(
        "text_classifier" if classifies else "finetuned",
        folder,
        manifest,
        values,
        code=code,
        optional=["prompt"] if prompt and not classifies else [],
        sample=manifest["sample"]["text"].replace("```", "'''"),
        pictures=pictures,
        metadata={
            "base_model": None if local else base["name"],  # the Hub links to it
            "language": LANGUAGES.get(data["name"]),
            "pipeline_tag": task,
            "tags": [base["kind"], "hf_llm", "fine-tuned"],
            "eval_results": hub_results(task, data["name"], headline, scores[headline], *metrics),
        },
    )


def _row(part: str, score: dict, classifies: bool) -> Translated:
    name = both(f"recipes.finetuned.{part}")
    if not classifies:
        return both("recipes.finetuned.row", part=name, **score)
    low, high = share_interval(score["correct"], score["messages"]).bounds
    errors = score["messages"] - score["correct"]
    return both("recipes.text_classifier.row", part=name, low=low, high=high, errors=errors, **score)
