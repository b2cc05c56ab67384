"""The model card of a run: README.md with metadata that the Hub understands, in English and in Portuguese.

`card.md` is the form of every card, `texts.yaml` has what it says; here are the values, from the manifest.
"""

import json
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from hf_llm.texts import Language, number, text

TEMPLATE = Path(__file__).with_name("card.md")
LANGUAGES = {"the-verdict": ["en"], "tiny-shakespeare": ["en"], "sample": ["pt", "en"]}  # unknown of other texts
OWN_CODE = ("mlp", "lenet")
GENERATE = """from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{folder}")
model = AutoModelForCausalLM.from_pretrained("{folder}")
ids = tokenizer("<|endoftext|>{prompt}", return_tensors="pt").input_ids  # documents begin with this token
print(tokenizer.decode(model.generate(ids, max_new_tokens=40, do_sample=True)[0]))"""
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
    data, tokenizer, config = manifest["data"], manifest["tokenizer"], manifest["config"]
    shape, prompt, best = manifest["model"]["config"], manifest["sample"]["prompt"], scores["validation"]

    def in_language(lang: Language) -> dict:
        def say(key: str, **values) -> str:
            return text(f"recipes.language_model.{key}", lang, **values)

        def row(key: str, score: dict) -> list[str]:
            values = (("bits_per_byte", ".4f"), ("perplexity", ".2f"), ("loss", ".4f"), ("step", ",d"))
            return [text(f"recipes.card.{key}", lang), *(number(score[name], lang, spec) for name, spec in values)]

        header = [say("text"), say("bits_per_byte"), say("perplexity"), say("loss"), text("recipes.card.step", lang)]
        held_out = say("held_out", tokens=data["validation_tokens"])
        sha256 = {"data": data["sha256"][:16], "tokenizer": tokenizer["sha256"][:16]}
        return {
            "description": say(
                "description", parameters=manifest["model"]["parameters"], corpus=data["name"],
                layers=shape["n_layer"], heads=shape["n_head"], width=shape["n_embd"], context=shape["n_positions"],
                vocabulary=tokenizer["vocab_size"],
            ),
            "use_with": say("use_with"),
            "scores": _table(header, [row("published", best), row("last", scores["validation_last"])]),
            "picked": say("picked", stride=best["eval_stride"]),
            "sample": text("recipes.card.sample", lang),
            "sample_prompt": say("prompt", prompt=prompt) if prompt else say("no_prompt"),
            "training": _training(manifest, lang, {
                say("corpus"): say("corpus_of", name=data["name"], bytes=data["bytes"], sha256=sha256["data"]),
                text("recipes.card.held_out", lang): held_out,
                say("train_tokens"): number(data["train_tokens"], lang),
                text("recipes.card.tokenizer", lang): say(
                    "tokenizer_of", tokens=tokenizer["vocab_size"], sha256=sha256["tokenizer"]
                ),
                text("recipes.card.steps", lang): say(
                    "steps", steps=config["max_steps"], batch=config["total_batch_size"]
                ),
            }, say("regularization", dropout=config["dropout"], decay=config["weight_decay"]),
                say("time", seconds=manifest["wall_seconds"], speed=manifest["tokens_per_second"])),
            "limits_of_it": say("limits"),
        }  # fmt: skip

    quoted = json.dumps(prompt or "I", ensure_ascii=False)[1:-1]  # as it stands within quotes of Python
    metrics = {name: best[name] for name in ("bits_per_byte", "perplexity")}
    return _card(
        folder, manifest, in_language, ["loss"],
        code=GENERATE.format(folder=folder.as_posix(), prompt=quoted),
        sample=manifest["sample"]["text"].replace("```", "'''"),
        metadata={"language": LANGUAGES.get(data["name"]), "tags": ["gpt2", "hf_llm", "from-scratch"]},
        task="text-generation", split="validation", metrics=metrics,
    )  # fmt: skip


def classifier_card(folder: Path, manifest: dict, scores: dict, pictures: list[str]) -> str:
    """Return the card of an image classifier; arguments as above, and the names of its figures."""
    config, data = manifest["config"], manifest["data"]
    own_code = config["model"] in OWN_CODE
    measured = {
        part: scores[part]
        for part in ("test", "validation", "validation_last")
        if "accuracy" in scores.get(part, {})
    }  # fmt: skip

    def in_language(lang: Language) -> dict:
        def say(key: str, **values) -> str:
            return text(f"recipes.classifier.{key}", lang, **values)

        def row(part: str, score: dict) -> list[str]:
            low, high = score["interval_95"]
            return [
                say(part),
                number(score["accuracy"], lang, ".2%"),
                say("interval_of", low=low, high=high),
                say("errors_of", errors=score["images"] - score["correct"], images=score["images"]),
                number(score["loss"], lang, ".4f"),
                number(score["step"], lang),
            ]

        header = [say("part"), say("accuracy"), say("interval"), say("errors"), say("loss")]
        sizes = config["hidden_sizes"] or manifest["model"]["config"].get("hidden_sizes", [])
        return {
            "description": say(
                "description",
                architecture=say(config["model"], sizes="-".join(map(str, sizes)), activation=config["activation"]),
                parameters=manifest["model"]["parameters"],
                data=data["name"],
            ),
            "use_with": say("use_with"),
            "use_note": say("own_code") if own_code else "",
            "scores": _table([*header, text("recipes.card.step", lang)], [row(*each) for each in measured.items()]),
            "picked": say("picked" if "accuracy" in scores["validation"] else "last_published"),
            "training": _training(manifest, lang, {
                say("images"): say("images_of", name=data["name"], sha256=data["sha256"][:16]),
                say("train_images"): number(data["train_images"], lang),
                text("recipes.card.held_out", lang): say(
                    "held_out", validation=data["validation_images"], test=data["test_images"]
                ),
                text("recipes.card.steps", lang): say(
                    "steps", steps=config["max_steps"], batch=config["total_batch_size"]
                ),
            }, _regularization(config, lang),
                say("time", seconds=manifest["wall_seconds"], speed=manifest["images_per_second"])),
            "limits_of_it": say("limits"),
        }  # fmt: skip

    split = next(iter(measured), "")
    return _card(
        folder, manifest, in_language, pictures,
        code=CLASSIFY.format(folder=folder.as_posix(), remote=", trust_remote_code=True" if own_code else ""),
        sample="",
        metadata={
            "datasets": ["ylecun/mnist"] if data["name"] in ("mnist", "ylecun/mnist") else None,  # the Hub links to it
            "tags": [config["model"], "hf_llm", "from-scratch"],
        },
        task="image-classification", split=split.split("_")[0],
        metrics={"accuracy": measured[split]["accuracy"]} if split else {},
    )  # fmt: skip


def _card(
    folder: Path, manifest: dict, in_language: Callable[[Language], dict], pictures: list[str], *,
    code: str, sample: str, metadata: dict, task: str, split: str, metrics: dict[str, float],
) -> str:  # fmt: skip
    """Return the card: metadata, then the same texts and tables in both languages."""
    name, data = folder.resolve().name, manifest["data"]["name"]
    versions = manifest["environment"]["versions"]
    made_with = {
        "seed": str(manifest["seed"]),
        "commit": manifest["commit"] or "unknown",
        "versions": ", ".join(f"{package} {version}" for package, version in versions.items() if version),
    }
    headings = ("use", "results", "data", "reproduce", "limits")

    def texts_in(lang: Language) -> dict:
        shared = {key: text(f"recipes.card.{key}", lang) for key in headings}
        return {**shared, "made_with": text("recipes.card.made_with", lang, **made_with), **in_language(lang)}

    card_data = ModelCardData(
        **metadata,
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag=task,
        model_name=name,
        eval_results=[
            EvalResult(
                task_type=task, dataset_type=data, dataset_name=data, dataset_split=split,
                metric_type=metric, metric_value=round(value, 4),
            )
            for metric, value in metrics.items()
        ] or None,
    )  # fmt: skip
    card = ModelCard.from_template(
        card_data, template_path=str(TEMPLATE), name=name, code=code, sample=sample, command=manifest["command"],
        pictures=pictures, english=texts_in("en"), portuguese=texts_in("pt-BR"),
    )  # fmt: skip
    return f"{str(card).rstrip()}\n"


def _training(manifest: dict, lang: Language, inputs: dict[str, str], regularization: str, time: str) -> str:
    """Return the table of how a model came about, which begins with what went in."""
    config, resolved = manifest["config"], manifest["resolved"]

    def say(key: str, **values) -> str:
        return text(f"recipes.card.{key}", lang, **values)

    rows = {
        **inputs,
        say("optimizer"): say("rate", optimizer=config["optimizer"], rate=config["learning_rate"]),
        say("regularization"): regularization,
        say("precision"): say("on_device", **{name: resolved[name] for name in ("precision", "device", "threads")}),
        say("time"): time,
        say("memory"): say("mebibytes", count=manifest["peak_memory_bytes"] / 2**20),
    }
    return _table(["", ""], [list(row) for row in rows.items()])


def _regularization(config: dict, lang: Language) -> str:
    def say(key: str, **values) -> str:
        return text(f"recipes.classifier.{key}", lang, **values)

    parts = [
        text("recipes.language_model.regularization", lang, dropout=config["dropout"], decay=config["weight_decay"])
    ]
    if config["input_dropout"]:
        parts.append(say("input_dropout", rate=config["input_dropout"]))
    if config["max_weight_norm"]:
        parts.append(say("max_weight_norm", norm=config["max_weight_norm"]))
    if config["batch_norm"]:
        parts.append(say("batch_norm"))
    if config["max_shift"] or config["max_turn"] or config["elastic"]:
        changes = {"shift": config["max_shift"], "turn": config["max_turn"], "elastic": config["elastic"]}
        parts.append(say("augmentation", **changes))
    return ", ".join(parts)


def _table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rows])
