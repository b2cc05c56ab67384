"""The pretrained model that experiments begin with: a small GPT-2, trained once and kept in the user's cache.

Its folder is that of a run like any other (manifest, card, loss curve), under a name that depends on everything that
its weights depend on: settings, text, versions. `study.base` takes another causal language model instead, such as
openai-community/gpt2.

>>> base = pretrained_base(Study(range(1), quick=True))
>>> base.facts["text"]
'tiny-shakespeare'
"""

import contextlib
import hashlib
import io
import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.data import Text
from hf_llm.data.search import user_cache
from hf_llm.experiments.frame import Study
from hf_llm.experiments.shared.language_runs import read_or_sample
from hf_llm.models.loading import load_causal_lm, model_folder, model_sha256
from hf_llm.recipes.pretrain import pretrain
from hf_llm.runs import lock
from hf_llm.runs.atomic import disk_errors, make_folder, write_text
from hf_llm.runs.manifest import environment
from hf_llm.tokenization.tokenizer import load_tokenizer
from hf_llm.training.config import PretrainConfig

TEXT = "tiny-shakespeare"  # that a base is pretrained on where nobody asks for another
STEPS, QUICK_STEPS = 800, 60
SETTINGS = {
    "vocab_size": 1000, "model": "micro", "n_layer": 2, "n_head": 4, "n_embd": 128, "n_positions": 128, "dropout": 0.0,
    "sample_stride": 1, "total_batch_size": 16, "per_device_train_batch_size": 16, "learning_rate": 3e-3,
    "weight_decay": 0.1, "precision": "fp32", "threads": 1, "eval_tokens": 5000, "sample_tokens": 1,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PretrainedBase:
    """A pretrained causal language model. Who trains it further copies it first."""

    model: PreTrainedModel  # in fp32, in evaluation mode
    tokenizer: PreTrainedTokenizerFast  # its own, with a pad token
    facts: dict  # for the settings of a result: name, parameters; of our own also text, steps, bits per byte
    seconds: float | None  # that its pretraining took, when it was done; unknown of a foreign model


def pretrained_base(study: Study, text: str | Text = TEXT, tokenizer_of: str | None = None) -> PretrainedBase:
    """Return `study.base`, or a small GPT-2 pretrained on `text`, which is trained now where the cache has none.

    Args:
        study: Says whether it is the short version, and names a foreign base.
        text: For our own base: a named text, the embedded sample where it is not to be had, or a text itself.
        tokenizer_of: Name of the text whose base lends its tokenizer, so that two bases differ in their weights alone.
            Such a base is always our own.

    Raises:
        UserError: When `study.base` cannot be had, or the cache cannot be written.
    """
    if study.base and not tokenizer_of:
        return _foreign(study.base)
    return _own(text, study.quick, tokenizer_of)


@lru_cache(maxsize=4)
def _own(text: str | Text, quick: bool, tokenizer_of: str | None) -> PretrainedBase:
    lent = str(_own_folder(tokenizer_of, quick, None)) if tokenizer_of else None
    folder = _own_folder(text, quick, lent)
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    validation = manifest["metrics"]["validation"]
    facts = {
        "text": Path(manifest["data"]["name"]).stem, "text_sha256": manifest["data"]["sha256"],
        "parameters": manifest["model"]["parameters"], "steps": manifest["config"]["max_steps"],
        "tokens_seen": manifest["config"]["max_steps"] * SETTINGS["total_batch_size"] * SETTINGS["n_positions"],
        "bits_per_byte": validation["bits_per_byte"], "seed": manifest["seed"], "sha256": model_sha256(folder),
    }  # fmt: skip
    return PretrainedBase(load_causal_lm(folder), load_tokenizer(folder), facts, manifest["wall_seconds"])


def _own_folder(text: str | Text, quick: bool, tokenizer: str | None) -> Path:
    """Return the run folder of our base; trains it where there is none, and goes on where a training was stopped."""
    corpus, steps = text if isinstance(text, Text) else read_or_sample(text), QUICK_STEPS if quick else STEPS
    home = user_cache()
    require(home is not None, "a model has to be kept in the cache, and there is none; set XDG_CACHE_HOME or HOME")
    cache, source = home / "pretrained", corpus.name
    with disk_errors(f"the cache {cache}"):
        make_folder(cache)
        if isinstance(text, Text):
            source = str(cache / f"{text.name}.txt")
            write_text(Path(source), text.text)
    config = PretrainConfig(
        corpus=source, tokenizer=tokenizer, max_steps=steps, warmup_steps=steps // 10, eval_steps=steps // 2,
        save_steps=steps // 2, **SETTINGS,
    )  # fmt: skip
    identity = [{**asdict(config), "output_dir": ""}, corpus.sha256, environment()["versions"]]
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    folder = cache / f"{corpus.name}-{steps}-{name}"
    beside = folder.with_name(f".{folder.name}.lock")
    with lock.hold(beside, wait=True), contextlib.redirect_stdout(io.StringIO()):  # its report is not asked for
        pretrain(replace(config, output_dir=str(folder)))
    return folder


@lru_cache(maxsize=1)
def _foreign(name: str) -> PretrainedBase:
    folder = model_folder(name)
    model, tokenizer = load_causal_lm(folder), load_tokenizer(name)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    facts = {"text": name, "parameters": model.num_parameters(), "sha256": model_sha256(folder)}
    return PretrainedBase(model, tokenizer, facts, None)
