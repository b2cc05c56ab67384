"""From the settings on the page to the command that trains an image classifier."""

from hf_llm.app.page import App
from hf_llm.config import require
from hf_llm.texts import both

MODELS = ("mlp", "lenet")
DATA = ("digits", "mnist")
FEWEST_STEPS = 60  # the configs' warm-up takes 50
MOST_IMAGES = 50_000
EVALUATIONS = 8
SETTINGS = ("model", "data", "steps", "learning_rate", "dropout", "train_images")
PRESETS = {  # values of the settings; each with the texts `train_preset.<name>` and `train_why.<name>`
    "sound": ("mlp", "digits", 200, 0.002, 0.0, 0),
    "exploding": ("mlp", "digits", 200, 1.0, 0.0, 0),
    "overfitting": ("mlp", "digits", 400, 0.002, 0.0, 40),
}


def preset_settings(name: str, most_steps: int) -> dict:
    """Return {setting: value} of a preset, with no more steps than the app takes."""
    settings = dict(zip(SETTINGS, PRESETS[name], strict=True))
    return settings | {"steps": min(settings["steps"], most_steps)}


def training_command(
    app: App, *, model: str, data: str, steps: float, learning_rate: float, dropout: float, train_images: float
) -> list[str]:
    """Return the command that trains.

    Args:
        app: What the pages share.
        model: One of `MODELS`.
        data: One of `DATA`.
        steps: Optimizer steps.
        learning_rate: Its peak.
        dropout: Fraction of the hidden units.
        train_images: How many images to train on; 0 for all.

    Raises:
        UserError: When a value is impossible here.
    """
    most = app.config.training_steps
    possible = (
        model in MODELS and data in DATA and FEWEST_STEPS <= (steps or 0) <= most and 0 < (learning_rate or 0) <= 10
        and 0 <= (dropout or 0) <= 0.9 and 0 <= (train_images or 0) <= MOST_IMAGES
    )  # fmt: skip
    require(possible, both("mnist.impossible", fewest=FEWEST_STEPS, most=most, images=MOST_IMAGES))
    command = [
        "train_mnist", "--config", f"mnist/{model}", "--data", data,
        "--max_steps", str(int(steps)), "--learning_rate", f"{learning_rate:g}", "--dropout", f"{dropout or 0:g}",
        "--eval_steps", str(int(steps) // EVALUATIONS), "--logging_steps", str(int(steps) // (4 * EVALUATIONS) or 1),
        "--train_figures", "1000", "--threads", "1",
    ]  # fmt: skip
    return command + (["--train_images", str(int(train_images))] if train_images else [])
