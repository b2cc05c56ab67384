"""The model card of an image classifier, from the manifest."""

from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from hf_llm.recipes.card import in_portuguese, markdown_table
from hf_llm.runs.atomic import write_text

TEMPLATE = Path(__file__).with_name("classifier_card.md")
DESCRIPTIONS = {
    "mlp": "A multi-layer perceptron: {sizes} hidden units, {activation}.",
    "lenet": "LeNet-5 (LeCun et al. 1998), with {activation}: two convolutions, three linear layers.",
    "resnet": "A small ResNet (He et al. 2015), transformers' own class.",
    "efficientnet": "A small EfficientNet (Tan and Le 2019), transformers' own class.",
}
OWN_CODE = ("mlp", "lenet")


def write_classifier_card(folder: Path, manifest: dict) -> None:
    """Write README.md into the run folder.

    Args:
        folder: The run folder; its name becomes the model's.
        manifest: run.json with `metrics` and `model`.
    """
    config, data, metrics = manifest["config"], manifest["data"], manifest["metrics"]
    resolved, versions = manifest["resolved"], manifest["environment"]["versions"]
    name, own_code = folder.resolve().name, config["model"] in OWN_CODE
    measured = {
        label: metrics[part]
        for label, part in (
            ("test", "test"),
            ("validation, published weights", "validation"),
            ("validation, last weights", "validation_last"),
        )
        if "accuracy" in metrics.get(part, {})
    }
    headline = next(iter(measured.items()), None)
    card_data = ModelCardData(
        datasets=["ylecun/mnist"] if data["name"] in ("mnist", "ylecun/mnist") else None,  # the Hub links to it
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag="image-classification",
        tags=[config["model"], "hf_llm", "from-scratch"],
        model_name=name,
        eval_results=[
            EvalResult(
                task_type="image-classification",
                dataset_type=data["name"],
                dataset_name=data["name"],
                dataset_split=label.split(",")[0],
                metric_type="accuracy",
                metric_value=round(figures["accuracy"], 4),
            )
            for label, figures in [headline]
        ]
        if headline
        else None,
    )
    card = ModelCard.from_template(
        card_data,
        template_path=str(TEMPLATE),
        name=name,
        where=folder.as_posix(),
        description=DESCRIPTIONS[config["model"]].format(
            sizes="-".join(map(str, config["hidden_sizes"] or manifest["model"]["config"].get("hidden_sizes", []))),
            activation=config["activation"],
        ),
        parameters=f"{manifest['model']['parameters']:,}",
        parameters_pt=in_portuguese(f"{manifest['model']['parameters']:,}"),
        data=data["name"],
        remote=", trust_remote_code=True" if own_code else "",
        own_code=own_code,
        figures=markdown_table(
            ["", "accuracy", "95 % interval (Wilson)", "errors", "nats an image", "step"],
            [
                [
                    label,
                    f"{f['accuracy']:.2%}",
                    "{:.2%} to {:.2%}".format(*f["interval_95"]),
                    f"{f['images'] - f['correct']:,} of {f['images']:,}",
                    f"{f['loss']:.4f}",
                    f["step"],
                ]
                for label, f in measured.items()
            ],
        ),
        picked=_picked(metrics),
        pictures=", ".join(
            sorted(Path(file).name for file in manifest["figures"] if Path(file).stem not in ("loss", "accuracy"))
        ),
        training=markdown_table(
            ["", ""],
            [
                ["images", f"{data['name']}, SHA-256 of the content `{data['sha256'][:16]}…`"],
                ["training images", f"{data['train_images']:,}"],
                [
                    "held out",
                    f"{data['validation_images']:,} images for validation, {data['test_images']:,} for the test",
                ],
                ["steps", f"{config['max_steps']:,} of {config['total_batch_size']} images"],
                ["optimizer", f"{config['optimizer']}, peak learning rate {config['learning_rate']:g}, cosine"],
                ["regularisation", _regularisation(config)],
                ["precision", f"{resolved['precision']} on {resolved['device']}, {resolved['threads']} thread(s)"],
                ["time", f"{manifest['wall_seconds']:.0f} s, {manifest['images_per_second']:,.0f} images a second"],
                ["peak memory", f"{manifest['peak_memory_bytes'] / 2**20:,.0f} MiB"],
            ],
        ),
        command=manifest["command"],
        seed=manifest["seed"],
        commit=manifest["commit"] or "unknown",
        versions=", ".join(f"{package} {number}" for package, number in versions.items() if number),
        portuguese_figure=(
            f"Acurácia ({'teste' if headline[0] == 'test' else 'validação'}): "
            f"{in_portuguese(format(headline[1]['accuracy'] * 100, '.2f'))} %."
            if headline
            else ""
        ),
    )
    write_text(folder / "README.md", str(card))


def _picked(metrics: dict) -> str:
    if "accuracy" not in metrics["validation"]:
        return "There was no validation part: the published weights are the last ones."
    return "The published weights are those with the lowest validation loss; the test set had no part in choosing them."


def _regularisation(config: dict) -> str:
    parts = [f"dropout {config['dropout']:g}", f"weight decay {config['weight_decay']:g}"]
    if config["input_dropout"]:
        parts.append(f"dropout of pixels {config['input_dropout']:g}")
    if config["max_norm"]:
        parts.append(f"max-norm {config['max_norm']:g}")
    if config["batch_norm"]:
        parts.append("batch norm")
    if config["max_shift"] or config["max_turn"] or config["elastic"]:
        parts.append(
            f"images moved by up to {config['max_shift']:g} pixels, turned by up to {config['max_turn']:g}°, "
            f"bent by {config['elastic']:g} pixels"
        )
    return ", ".join(parts)
