"""A result: what was measured, judged and composed in both languages, ready to be written and to be shown.

Everything but the tables is made from the tables: `judge` measures nothing.
"""

from dataclasses import dataclass
from functools import cached_property

from hf_llm.experiments.frame.findings import Finding
from hf_llm.experiments.frame.lab import Lab, Say
from hf_llm.experiments.frame.study import Tables
from hf_llm.texts import Language, texts


@dataclass(frozen=True)
class Result:
    """The outcome of one experiment."""

    lab: Lab  # what declares it
    tables: Tables  # what was measured
    findings: list[Finding]  # what the tables say, the findings that the report shows first
    settings: dict  # what was run
    quick: bool  # whether it is the short version
    seeds: list[int]  # of the varied factor

    def answer(self, lang: Language) -> str:
        """Return the answer, three or four sentences: the texts under `answer`, in their order.

        `answer.<finding>.<verdict>` is taken by the verdict of that finding; another `answer.<name>` always. Each may
        cite `values` and, by its key, every finding: {sgd_is_slower.value:.1f}, {….interval:.1f}.
        """
        said, verdicts = [], {finding.key: finding.supported for finding in self.findings}
        values = {**self.values, **{finding.key: finding for finding in self.findings}}
        for name in dict.fromkeys(key.split(".")[1] for key in texts(self.lab.folder) if key.startswith("answer.")):
            key = f"answer.{name}.{verdicts[name]}" if name in verdicts else f"answer.{name}"
            said.append(Say(self.lab.folder, lang)(key, **values))
        return " ".join(said)

    def claim(self, finding: Finding, lang: Language) -> str:
        """Return `findings.<key>.<verdict>`; it may cite {value}, {interval}, {threshold} and `values`."""
        own = {"value": finding.value, "interval": finding.interval, "threshold": finding.threshold}
        key = f"findings.{finding.key}.{finding.supported}"
        return Say(self.lab.folder, lang)(key, **{**self.values, **own})

    def listed(self, kind: str, lang: Language) -> list[str]:
        """Return the texts `limits.…` or `reading.…` of the experiment, in their order."""
        keys = [key for key in texts(self.lab.folder) if key.startswith(f"{kind}.")]
        return [Say(self.lab.folder, lang)(key, **self.values) for key in keys]

    @cached_property
    def values(self) -> dict:
        """What every text may cite: the settings, and the quantities that the experiment takes from its tables."""
        return {**self.settings, **self.lab.quantities(self.tables)}


def judge(lab: Lab, tables: Tables, settings: dict, quick: bool, seeds: list[int]) -> Result:
    """Return the result of tables that were measured before."""
    return Result(lab, tables, lab.findings(tables), settings, quick, seeds)
