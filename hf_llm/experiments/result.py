"""What an experiment gives back: tables, charts drawn from them, findings with their verdict, limits.

An experiment is a folder of this room with `run(config, progress) -> Result`. The scripts, the web app and the tests
call the same function. Measured values stand in tables and findings only: sentences hold none, so that a text cannot
contradict what a new run measures.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from matplotlib.figure import Figure

LANGUAGES = ("pt-BR", "en")

Progress = Callable[[int, int], None]  # (done, total)
Language = Literal["pt-BR", "en"]


@dataclass(frozen=True)
class Words:
    """A text in both languages.

    >>> Words(pt="perda", en="loss")["pt-BR"]
    'perda'
    """

    pt: str
    en: str

    def __getitem__(self, language: Language) -> str:
        return {"pt-BR": self.pt, "en": self.en}[language]

    def as_dict(self) -> dict[str, str]:
        return {language: self[language] for language in LANGUAGES}


@dataclass(frozen=True)
class Finding:
    """One claim, what was measured about it, and what that says.

    Args:
        claim: A sentence that can be true or false; without measured values.
        measure: What `value` is, and its unit.
        value: The measured value.
        interval: Its 95 % interval; None where the value is exact (a count, an identity).
        supported: What value and interval say about the claim.
    """

    claim: Words
    measure: Words
    value: float
    interval: tuple[float, float] | None
    supported: Literal["yes", "no", "unclear"]


@dataclass(frozen=True)
class Table:
    """Records with the same keys, in the order they are shown.

    Args:
        caption: What the rows are.
        headings: {key: heading}; keys without one are kept in the data and not shown.
        rows: JSON-ready records. A value that is a word to be read may be a `Words`.
    """

    caption: Words
    headings: dict[str, Words]
    rows: list[dict]


@dataclass(frozen=True)
class Chart:
    """A figure of a result.

    Args:
        caption: What one sees, which is its alternative text too; without measured values.
        draw: Returns the figure with its words in one language. Draws from the result's tables alone.
    """

    caption: Words
    draw: Callable[[Language], Figure]


@dataclass(frozen=True)
class Timings:
    """What a seed need not repeat: measured times and memory, and findings whose value is one."""

    tables: dict[str, Table] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """The outcome of one experiment.

    Args:
        title: The question, or the lab's name.
        introduction: What is compared, how, and what one should look at. Markdown, a few paragraphs.
        lecture: Numbers of the lecture's claims that it bears on, "L4".
        quick: Whether this is the short version, which is good for looking and not for concluding.
        seeds: Seeds of the varied factor.
        settings: What was run: data, model, steps, grid. JSON-ready.
    """

    title: Words
    introduction: Words
    lecture: list[str]
    quick: bool
    seeds: list[int]
    settings: dict
    findings: list[Finding]
    tables: dict[str, Table]
    charts: dict[str, Chart]
    caveats: list[Words]
    timings: Timings = field(default_factory=Timings)


def verdict(interval: tuple[float, float], threshold: float = 0.0) -> Literal["yes", "no", "unclear"]:
    """Say whether "the value is above `threshold`" holds: yes or no where the whole interval agrees, else unclear."""
    low, high = interval
    return "yes" if low > threshold else "no" if high < threshold else "unclear"


def track(cells: Iterable, progress: Progress) -> Iterator:
    """Yield the cells of a grid, telling `progress` how many are done."""
    cells = list(cells)
    for done, cell in enumerate(cells):
        progress(done, len(cells))
        yield cell
    progress(len(cells), len(cells))
