"""The models that the app offers: finished run folders, the ones trained in the page among them, and allowed Hub ids.

A visitor chooses by name from this list and never gives a path. Models load without running code that came with them.
"""

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hf_llm.config import UserError, last_name, require
from hf_llm.runs.manifest import NAME as MANIFEST
from hf_llm.runs.manifest import model_task, read_manifest
from hf_llm.texts import Language, both

if TYPE_CHECKING:  # the first page is there before these are imported
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from hf_llm.explain.gpt2_explained import GPT2Explained

KEPT = 3  # models in memory at once; the one used longest ago goes first
DEPTH = 3  # levels below the runs folder where a run may lie
PORTUGUESE = ("dom-casmurro",)  # the data from which a model learns Portuguese


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model with its own tokenizer, ready to be used."""

    name: str
    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerFast"

    @cached_property
    def explained(self) -> "GPT2Explained":
        """The model, to be looked into.

        Raises:
            UserError: When it is not a GPT-2 as published, or a text may become an id that it has no embedding for.
        """
        from hf_llm.explain.gpt2_explained import GPT2Explained
        from hf_llm.generation.inference import require_own_tokenizer

        require_own_tokenizer(self.model, self.tokenizer)
        return GPT2Explained.from_transformers(self.model)


class Library:
    """Finds and loads models by name; safe to use from several threads.

    Args:
        runs: Folder of run folders.
        hub_models: Hub ids that may be chosen too.
    """

    def __init__(self, runs: Path, hub_models: list[str]):
        self.runs, self.hub_models = Path(runs), hub_models
        self._loaded: OrderedDict[tuple, object] = OrderedDict()
        self._lock = threading.Lock()

    def language_models(self, lang: Language | None = None) -> list[str]:
        """Return the names to choose from, the newest run first: folders below `runs`, then Hub ids.

        For a reader of pt-BR the models that learned Portuguese come before the others, for one of English after them.
        """
        names = self._finished("text-generation")
        if lang:
            names.sort(key=lambda name: (self.data(name) in PORTUGUESE) != (lang == "pt-BR"))
        return [*names, *self.hub_models]

    def image_classifiers(self) -> list[str]:
        """Return the names of the finished image classifiers, the newest first."""
        return self._finished("image-classification")

    def source(self, name: str) -> str:
        """Return what `load_causal_lm` and `load_tokenizer` take for the model called `name`, as a page may show it."""
        return name if name in self.hub_models else f"{last_name(self.runs.as_posix())}/{name}"

    def data(self, name: str) -> str | None:
        """Return the name of the data that a run learned from; None for a Hub id, and for a run that is gone."""
        try:
            manifest = read_manifest(self.folder(name)) or {}
        except UserError:
            return None
        return manifest.get("data", {}).get("name")

    def folder(self, name: str) -> Path:
        """Return the run folder called `name`.

        Raises:
            UserError: When no finished run has this name.
        """
        self._require(name, [*self._finished("text-generation"), *self._finished("image-classification")])
        return self.runs / name

    def language_model(self, name: str) -> LanguageModel:
        """Return the model called `name`, loaded at its first use.

        Raises:
            UserError: When it is not on the list, or damaged.
        """
        self._require(name, self.language_models())
        source = name if name in self.hub_models else self.runs / name
        return self._load(source, lambda: _load_language_model(name, source))

    def image_classifier(self, name: str) -> "PreTrainedModel":
        """Return the image classifier called `name`, in evaluation mode; errors as above."""
        self._require(name, self.image_classifiers())
        return self._load(self.runs / name, lambda: _load_classifier(self.runs / name))

    @staticmethod
    def _require(name: str, names: list[str]) -> None:
        require(name in names, both("app.unknown_model", name=str(name)))

    def _load(self, source: str | Path, load):
        # a run that was trained anew under the same name is another model
        changed = (source / MANIFEST).stat().st_mtime_ns if isinstance(source, Path) else 0
        with self._lock:  # two visitors at once load it once
            key = (str(source), changed)
            if key not in self._loaded:
                self._loaded[key] = load()
                while len(self._loaded) > KEPT:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def _finished(self, kind: str) -> list[str]:
        found = []
        for depth in range(1, DEPTH + 1):
            for path in self.runs.glob("/".join(["*"] * depth + [MANIFEST])):
                try:
                    manifest = read_manifest(path.parent) or {}
                    written = path.stat().st_mtime
                except (UserError, OSError):
                    continue  # a damaged or half-removed run is not offered
                if "metrics" in manifest and model_task(manifest) == kind:
                    found.append((-written, path.parent.relative_to(self.runs).as_posix()))
        return [name for _, name in sorted(found)]


def first(names: list[str]) -> str:
    """Return the model that an endpoint takes where none is named.

    Raises:
        UserError: When there is none.
    """
    require(bool(names), both("app.no_model"))
    return names[0]


def _load_language_model(name: str, source: str | Path) -> LanguageModel:
    from hf_llm.models.loading import load_causal_lm
    from hf_llm.tokenization.tokenizer import load_tokenizer

    return LanguageModel(name, load_causal_lm(source), load_tokenizer(source))


def _load_classifier(folder: Path) -> "PreTrainedModel":
    from transformers import AutoModelForImageClassification

    import hf_llm.models.image_classifiers  # noqa: F401 – makes the Auto classes know our own
    from hf_llm.models.foreign_code import named_code
    from hf_llm.models.loading import refuse_pointers
    from hf_llm.models.weights import load_weights

    named_code(folder, folder, os.listdir(folder))  # refuses settings that reach outside of the model
    refuse_pointers(folder)
    return load_weights(AutoModelForImageClassification, folder, folder.as_posix())
