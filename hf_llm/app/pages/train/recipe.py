"""From the settings on the page to the command that trains: the demo's recipe, and what differs from it."""

import dataclasses
from functools import cache

from hf_llm.app.config import checked
from hf_llm.app.page import App
from hf_llm.config import load_yaml, require
from hf_llm.data import MissingData, find
from hf_llm.texts import both
from hf_llm.training.config import PretrainConfig

RECIPE = "gpt2/verdict"
SIZES = ("nano", "micro", "mini")
CORPORA = ("the-verdict", "sample", "own")
PROMPT = 200  # characters of the text that the samples continue
OWN = "{text.txt}"  # the argument that becomes the path of a pasted text
# lowest and highest value of each number; the most steps are a setting of the app
LIMITS = {
    "max_steps": (1, None),
    "learning_rate": (1e-6, 1000.0),
    "vocab_size": (257, 4000),
    "n_positions": (8, 256),
    "warmup_steps": (0.0, 0.9),
    "dropout": (0.0, 0.9),
    "input_noise": (0.0, 0.9),
    "bpe_dropout": (0.0, 0.9),
    "seed": (0, 2**31 - 1),
}
SETTINGS = ("corpus", "model", *LIMITS, "sample_prompt")
# what each preset changes in the recipe; its name and the reason are the texts `preset.<name>` and `why.<name>`
PRESETS: dict[str, dict] = {
    "demo": {},
    "exploding": {"learning_rate": 100.0, "warmup_steps": 0.0, "max_steps": 100},
    "overfitting": {
        "learning_rate": 3e-3, "dropout": 0.0, "input_noise": 0.0, "bpe_dropout": 0.0, "max_steps": 200,
    },
    "tiny_vocabulary": {"vocab_size": 257, "bpe_dropout": 0.0, "max_steps": 300},
}  # fmt: skip


@cache
def recipe() -> PretrainConfig:
    """Return the demo's settings."""
    return PretrainConfig(**load_yaml(PretrainConfig, RECIPE))


def preset_values(name: str, most_steps: int) -> dict:
    """Return {setting: value} of a preset, all of `SETTINGS`."""
    values = {setting: getattr(recipe(), setting) for setting in SETTINGS} | PRESETS[name]
    return values | {"max_steps": min(values["max_steps"], most_steps)}


def training_command(app: App, values: dict, own: str) -> tuple[list[str], dict[str, str]]:
    """Return what `Trainings.start` takes: the command and the texts that it reads.

    Args:
        app: What the pages share.
        values: {setting: value}, all of `SETTINGS`.
        own: The pasted text, of which `corpus` "own" is made.

    Raises:
        UserError: When a value is impossible here, or the text is missing.
    """
    values = _checked(app, values)
    files = {}
    if values["corpus"] == "own":
        require(own.strip() != "", both("app.empty"))
        files["text.txt"] = checked(own, 10 * app.config.max_characters)
    else:
        require(_available(values["corpus"]), both("train.no_verdict"))
    steps, context = values["max_steps"], values["n_positions"]
    values["logging_steps"] = max(1, steps // 100)
    values["eval_steps"] = max(1, steps // 20)
    if files or context < recipe().n_positions:  # a stride of 1 takes minutes on a long text
        values["eval_stride"] = max(1, context // 2)
    return _command(values), files


def demo_command(most_steps: int) -> list[str]:
    """Return the command of the demo, on the project's own sample where The Verdict cannot be had."""
    corpus = "the-verdict" if _available("the-verdict") else "sample"
    steps = preset_values("demo", most_steps)["max_steps"]
    return _command({"corpus": corpus, "max_steps": steps, "logging_steps": 5})


def _command(values: dict) -> list[str]:
    """Return the command with a flag for each value that the recipe has otherwise."""
    usual = dataclasses.asdict(recipe())
    command = ["pretrain", "--config", RECIPE]
    for name, value in values.items():
        if name == "corpus" and value == "own":
            command += ["--corpus", OWN]
        elif value != usual[name]:
            # one argument, so that a text which begins with dashes is no flag
            command += [f"--{name}={value}"] if name == "sample_prompt" else [f"--{name}", _shown(value)]
    return command


def _shown(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _checked(app: App, values: dict) -> dict:
    """Return the values as the types of the recipe; the bounds of sliders hold in the browser alone."""
    checked_values = {}
    for name, (low, high) in LIMITS.items():
        high = app.config.training_steps if high is None else high
        value = values[name]
        within = isinstance(value, int | float) and low <= value <= high
        require(within, both("train.out_of_bounds", name=both(f"train.setting.{name}"), low=low, high=high))
        checked_values[name] = type(getattr(recipe(), name))(value)
    known = values["corpus"] in CORPORA and values["model"] in SIZES
    require(known, both("train.unknown", corpora=", ".join(CORPORA), sizes=", ".join(SIZES)))
    prompt = checked(values["sample_prompt"] or "", PROMPT).replace("\0", "")
    return {"corpus": values["corpus"], "model": values["model"], **checked_values, "sample_prompt": prompt}


def _available(corpus: str) -> bool:
    try:
        find(corpus)
    except MissingData:
        return False
    return True
