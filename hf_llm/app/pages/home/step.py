"""What a step of the lesson is. The reader predicts, changes something, sees what comes of it, and reads why.

A step is a folder of `steps/`: step.py has its controls and what it draws, texts.yaml its words. Every number in it is
computed when it is drawn, by the model at hand or from the result of an experiment; what came true is said from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from gradio.components import Component

from hf_llm.app.config import checked
from hf_llm.app.page import App
from hf_llm.app.server.results import SavedResult, committed
from hf_llm.config import UserError, require
from hf_llm.texts import Language, both, text

if TYPE_CHECKING:
    from hf_llm.app.server.library import LanguageModel
    from hf_llm.explain.reading import Reading

OPTIONS = "abc"
ROUNDING = 1e-2  # of logits: what another order of the same sums may move them by


@dataclass(frozen=True)
class At:
    """What a step is drawn from: the sentence and the model that go through the lesson."""

    app: App
    text: str
    model: str | None
    lang: Language

    @property
    def loaded(self) -> "LanguageModel":
        require(bool(self.model), both("app.no_model"))
        return self.app.library.language_model(self.model)

    @cached_property
    def reading(self) -> "Reading":
        """The sentence as the model reads it.

        Raises:
            UserError: When the sentence is empty, too long or no valid Unicode, or there is no GPT-2.
        """
        from hf_llm.explain.reading import read

        require(self.text != "", both("app.empty"))
        loaded = self.loaded
        return read(loaded.explained, loaded.tokenizer, checked(self.text, self.app.config.max_characters))

    def result(self, name: str) -> SavedResult:
        """Return the committed result of an experiment.

        Raises:
            UserError: When it is not in this copy, or damaged.
        """
        result = committed(self.app.config.results, name)
        if result is None:
            raise UserError(both("experiment.missing_short", folder=self.app.public(self.app.config.results)))
        return result


def logits_moved(by: float, lang: Language) -> str:
    """Return the words for the most that any logit moved, as a part of a sentence."""
    kind = "unmoved" if by == 0 else "rounding" if by < ROUNDING else "moved"
    return text(f"home.logits.{kind}", lang, by=by)


class Seen(NamedTuple):
    """What a step shows once there is a prediction."""

    shown: str  # HTML
    why: str  # what was seen, and the reason
    right: str | None  # the prediction that came true; None for none of them
    below: str = ""  # HTML that needs the whole width


@dataclass(frozen=True)
class Step:
    """One step; its texts are `<name>.title`, `.intro`, `.predict`, `.option.<a, b, c>` and `.do`.

    Args:
        name: Of its folder.
        controls: Lays out what the reader changes, {name: control}; it is called once, in its place on the page.
        draw: Called with an `At` and the values of the controls, by name.
        page: Of the toolbox: where the same is seen in full.
        settings: Of that page, beside the sentence and the model.
        sentence: Whether the sentence and the model have a part in it.
        needs: The kind of model that it cannot do without; without one the step offers to train it.
        predicts: Whether the reader is asked for a prediction.
        layered: Whether its control `layer` is a slider over the layers of the model.
    """

    name: str
    controls: Callable[[], dict[str, Component]]
    draw: Callable[..., Seen]
    page: str
    settings: tuple[tuple[str, str], ...] = ()
    sentence: bool = True
    needs: Literal["gpt2", "mlp"] | None = None
    predicts: bool = True
    layered: bool = False

    def say(self, key: str, lang: Language) -> str:
        return text(f"{self.name}.{key}", lang)
