"""An experiment: its parts, and which of their findings answer the question.

A part is a module named by what it measures, with

    measure(study) -> Tables          tidy tables by name; nothing is judged here
    findings(tables) -> list          what the tables say about its claims
    FIGURES = {name: draw}            optional: draw(tables, say) -> Figure
    SUMMARIES = {name: table}         optional: table(tables) -> small DataFrame that the report shows, folded
    TIMED = {name}                    optional: its tables of times or memory, which a seed need not repeat

Judging and drawing need the tables alone: a report can be written again without measuring anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType

import pandas as pd
from matplotlib.figure import Figure

from hf_llm.experiments.frame.findings import Finding, Supported
from hf_llm.experiments.frame.study import Study, Tables
from hf_llm.texts import Language, text

Draw = Callable[[Tables, "Say"], Figure]


@dataclass(frozen=True)
class Say:
    """The texts of one experiment in one language.

    >>> Say("optimizers", "en")("figures.race.step")
    'step'
    """

    folder: str
    lang: Language

    def __call__(self, key: str, **values) -> str:
        return text(f"{self.folder}.{key}", self.lang, **values)


@dataclass(frozen=True)
class Lab:
    """What `lab.py` of an experiment declares; its texts lie in `texts.yaml` beside it."""

    folder: str  # the experiment's, which is that of its texts
    parts: Sequence[ModuleType]  # the modules that measure, in reading order
    lecture: Sequence[str]  # numbers of the lecture's claims that it bears on, "L4"
    figure: str  # that shows the answer
    shown: Sequence[str]  # keys of the findings that the report shows, at most seven; the others are folded
    settings: Callable[[Study], dict] = lambda study: {}  # what was run: data, model, grid, ready for JSON
    quantities: Callable[[Tables], dict] = lambda tables: {}  # what the texts cite besides: {name: number or string}
    # of a discussion question, {option: {finding: verdict}}: the data support an option when each of its findings has
    # that verdict, and contradict it when one has the opposite
    predictions: dict[str, dict[str, Supported]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What `discuss.py` and the app call it."""
        return self.folder.replace("_", "-")

    @property
    def figures(self) -> dict[str, Draw]:
        """All figures by name, the one that shows the answer first."""
        drawn = {name: draw for part in self.parts for name, draw in getattr(part, "FIGURES", {}).items()}
        return {self.figure: drawn.pop(self.figure), **drawn}

    @property
    def summaries(self) -> dict[str, Callable[[Tables], pd.DataFrame]]:
        return {name: table for part in self.parts for name, table in getattr(part, "SUMMARIES", {}).items()}

    @property
    def timed(self) -> set[str]:
        """Names of the tables of times and memory."""
        return {name for part in self.parts for name in getattr(part, "TIMED", ())}

    def measure(self, study: Study) -> Tables:
        """Run the parts one after the other, each an equal share of the progress."""
        tables: Tables = {}
        for number, part in enumerate(self.parts):

            def share(done: int, total: int, number: int = number) -> None:
                study.report(100 * number + 100 * done // total, 100 * len(self.parts))

            tables |= part.measure(replace(study, report=share))
        return tables

    def findings(self, tables: Tables) -> list[Finding]:
        """Return what the tables say, the findings that the report shows first, in their order."""
        found = {finding.key: finding for part in self.parts for finding in part.findings(tables)}
        return [*(found.pop(key) for key in self.shown), *found.values()]

    def predicted(self, findings: Sequence[Finding]) -> dict[str, Supported]:
        """Return for each offered prediction whether the data support it."""
        verdicts = {finding.key: finding.supported for finding in findings}

        def judge(conditions: dict[str, Supported]) -> Supported:
            met = [verdicts[key] for key in conditions]
            if any("inconclusive" != verdict != conditions[key] for key, verdict in zip(conditions, met)):
                return "no"
            return "yes" if met == list(conditions.values()) else "inconclusive"

        return {option: judge(conditions) for option, conditions in self.predictions.items()}
