"""What every lab's result must keep: words in both languages, without measured values, and charts that draw."""

import json
import re

from matplotlib.figure import Figure

from hf_llm.experiments.report import report, result_as_dict
from hf_llm.experiments.result import LANGUAGES, Result, Words

PROPER_NAMES = re.compile(r"GPT-2|LeNet-5|T5|L2")
ORIGIN = {"environment": {"versions": {}}, "command": "a command", "commit": None}


def sentences(result: Result) -> list[Words]:
    """Return all texts of a result in which no digit may stand."""
    tables = [*result.tables.values(), *result.timings.tables.values()]
    findings = [*result.findings, *result.timings.findings]
    return [
        result.title,
        result.introduction,
        *result.caveats,
        *(words for finding in findings for words in (finding.claim, finding.measure)),
        *(table.caption for table in tables),
        *(chart.caption for chart in result.charts.values()),
    ]


def check(result: Result) -> None:
    """Fail where a sentence holds a digit or lacks a language, or where report, JSON or a chart cannot be made."""
    for words in sentences(result):
        for language in LANGUAGES:
            assert words[language].strip()
            assert not re.search(r"\d", PROPER_NAMES.sub("", words[language])), words[language]
    assert len({finding.claim.en + finding.measure.en for finding in result.findings}) == len(result.findings)
    for finding in result.findings:
        if finding.interval:
            assert finding.interval[0] <= finding.value <= finding.interval[1]
    for table in result.tables.values():
        assert table.rows
        for row in table.rows:
            assert set(table.headings) <= set(row)
    json.dumps(result_as_dict(result), allow_nan=False)
    for language in LANGUAGES:
        assert result.title[language] in report(result, ORIGIN, language)
        for chart in result.charts.values():
            figure = chart.draw(language)
            assert isinstance(figure, Figure)
            figure.draw_without_rendering()
