"""What holds for every experiment, on its committed result: full, up to date, and texts that follow the values."""

import ast
import dataclasses
import json
import re
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from hf_llm.experiments.config import EXPERIMENTS
from hf_llm.experiments.frame.findings import Finding
from hf_llm.experiments.frame.lab import Lab, Say
from hf_llm.experiments.frame.report import as_dict, read_table, report
from hf_llm.experiments.frame.result import Result, judge
from hf_llm.experiments.run import lab_named
from hf_llm.texts import LANGUAGES, texts

ROOT = Path(__file__).parents[2]
WORDS, SHOWN, LIMITS = 700, 7, 5
# proper names and notations, the only places for a digit in an answer or a finding that no measurement fills
NAMES = r"GPT-[23]|\bF1\b|z < 0|LeNet-5|LeNet5|ReLU6|\bT5\b|\bL[12]\b|95 ?%|10\^|²|₁|₂|\b\d+×\d+\b"
EACH = pytest.mark.parametrize("name", EXPERIMENTS)


@cache
def saved(name: str) -> dict:
    return json.loads((ROOT / "results" / name / "result.json").read_text(encoding="utf-8"))


@cache
def result_of(name: str) -> Result:
    """Return the committed result, judged again from its tables."""
    tables = {path.stem: read_table(path) for path in (ROOT / "results" / name / "tables").glob("*.csv")}
    order = [*saved(name)["tables"], *saved(name)["timings"]["tables"]]
    result = saved(name)
    return judge(
        lab_named(name), {table: tables[table] for table in order}, result["settings"], result["quick"], result["seeds"]
    )


def verdicts(finding: Finding) -> tuple[str, ...]:
    """Return what a finding can come out as; one without an interval is never inconclusive."""
    return ("yes", "no") if finding.interval is None else ("yes", "no", "inconclusive")


def moved(finding: Finding, verdict: str) -> Finding:
    """Return the finding with its value, or its interval, moved to where the verdict is another."""
    limit, far = finding.threshold, abs(finding.threshold) + 1.0
    value = {
        ("above", "yes"): limit + far, ("above", "no"): limit - far, ("below", "yes"): limit - far,
        ("below", "no"): limit + far, ("within", "yes"): 0.0, ("within", "no"): limit + far,
    }.get((finding.side, verdict), limit)  # fmt: skip
    width = 1e-9 if verdict != "inconclusive" else 2 * far
    interval = None if finding.interval is None else (value - width, value + width)
    return dataclasses.replace(finding, value=value, interval=interval)


def assert_alike(made, committed):
    """Compare two JSON values; numbers may differ by rounding, which another processor does in another order."""
    assert type(made) is type(committed)
    if isinstance(made, dict):
        assert made.keys() == committed.keys()
        for key in made:
            assert_alike(made[key], committed[key])
    elif isinstance(made, list):
        assert len(made) == len(committed)
        for one, other in zip(made, committed):
            assert_alike(one, other)
    elif isinstance(made, float):
        assert made == pytest.approx(committed, rel=1e-6, abs=1e-9, nan_ok=True)
    else:
        assert made == committed


@EACH
def test_the_committed_result_is_a_full_one(name):
    assert not saved(name)["quick"]
    assert len(saved(name)["seeds"]) >= 5
    assert not saved(name)["commit"].endswith("+"), "made from a work tree that was not committed"
    # as it was typed: by the program, or by the script of the same name
    assert saved(name)["command"].endswith(f" {name} --output_dir results/{name}")


@EACH
def test_the_committed_reports_are_what_the_code_makes_of_the_tables(name):
    result, folder = result_of(name), ROOT / "results" / name
    origin = {key: saved(name)[key] for key in ("command", "commit", "environment")}
    for lang in LANGUAGES:
        assert report(result, origin, lang, folder) == (folder / f"report.{lang}.md").read_text(encoding="utf-8")
    assert_alike(json.loads(json.dumps(as_dict(result, origin, folder / "tables"))), saved(name))
    figures = {f"{figure}.{lang}.png" for figure in result.lab.figures for lang in LANGUAGES}
    assert {path.name for path in (folder / "figures").iterdir()} == figures


@EACH
def test_a_value_that_crosses_its_threshold_changes_verdict_and_sentences(name):
    result = result_of(name)
    decisive = {key.split(".")[1] for key in texts(result.lab.folder) if key.startswith("answer.")}
    for number, finding in enumerate(result.findings):
        claims, answers = set(), set()
        for verdict in verdicts(finding):
            other = moved(finding, verdict)
            assert other.supported == verdict
            findings = [*result.findings[:number], other, *result.findings[number + 1 :]]
            changed = dataclasses.replace(result, findings=findings)
            vars(changed)["values"] = result.values  # from the same tables: not computed anew a thousand times
            claims.add(tuple(re.sub(r"[\d.,−;\[\]]", "", changed.claim(other, lang)) for lang in LANGUAGES))
            answers.add(tuple(re.sub(r"[\d.,−;\[\]]", "", changed.answer(lang)) for lang in LANGUAGES))
        assert len({pt for pt, _ in claims}) == len({en for _, en in claims}) == len(verdicts(finding)), finding.key
        if finding.key in decisive:
            count = len(verdicts(finding))
            assert len({pt for pt, _ in answers}) == len({en for _, en in answers}) == count, finding.key


@EACH
def test_the_report_is_short_and_answers_first(name):
    result = result_of(name)
    assert len(result.lab.shown) <= SHOWN
    assert 1 <= len(result.listed("limits", "en")) <= LIMITS
    origin = {"command": "", "commit": None, "environment": {"versions": {}}}
    for lang in LANGUAGES:
        answer = result.answer(lang)
        assert 3 <= len(re.findall(r"[.!?…](?=\s|$)", answer)) <= 4, answer
        composed = report(result, origin, lang, ROOT / "results" / name)
        assert composed.split("\n\n")[1] == answer
        visible = re.sub(r"<details>.*?</details>|```.*?```|!?\[([^\]]*)\]\([^)]*\)", r"\1", composed, flags=re.DOTALL)
        assert len(visible.split()) <= WORDS, f"{lang}: {len(visible.split())} words"


@EACH
def test_no_digit_is_typed_where_a_measurement_belongs(name):
    for key, said in texts(lab_named(name).folder).items():
        if key.split(".")[0] in ("answer", "findings"):
            for lang in LANGUAGES:
                fixed = "".join(literal for literal, *_ in Formatter().parse(said[lang]))
                assert not re.search(r"\d", re.sub(NAMES, "", fixed)), f"{key}: {fixed}"


@EACH
def test_it_has_all_texts_that_it_needs_and_no_other(name):
    result = result_of(name)
    lab = result.lab
    keys = set(texts(lab.folder))
    findings = {finding.key: finding for finding in result.findings}
    needed = {"question", *(f"predictions.{option}" for option in lab.predictions)}
    needed |= {f"findings.{key}.{verdict}" for key, finding in findings.items() for verdict in verdicts(finding)}
    needed |= {f"figures.{figure}.caption" for figure in lab.figures}
    for summary, table in lab.summaries.items():
        needed |= {f"summaries.{summary}.{column}" for column in ["caption", *table(result.tables).columns]}
    for key in [key for key in keys if key.startswith("answer.")]:
        first = key.split(".")[1]
        needed |= {f"answer.{first}.{verdict}" for verdict in verdicts(findings[first])} if first in findings else {key}
    needed |= {key for key in keys if key.split(".")[0] in ("limits", "reading")}
    assert needed <= keys, f"missing: {sorted(needed - keys)}"
    cells = {
        cell for table in result.tables.values() for column in table.select_dtypes("object") for cell in table[column]
    }
    cells |= {
        cell for table in result.tables.values() for column in table.select_dtypes("str") for cell in table[column]
    }
    asked = patterns_in(lab)
    spare = {
        key for key in keys - needed
        if not (key.startswith("names.") and key.removeprefix("names.") in cells)
        and not any(pattern.fullmatch(key) for pattern in asked)
    }  # fmt: skip
    assert not spare, f"unused: {sorted(spare)}"


def patterns_in(lab: Lab) -> list[re.Pattern]:
    """Return a pattern for every string in the experiment's code that may be a key; what f-strings fill is any text."""
    found = set()
    for path in (ROOT / "hf_llm" / "experiments" / lab.folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(re.escape(node.value))
            elif isinstance(node, ast.JoinedStr):
                found.add("".join(
                    re.escape(part.value) if isinstance(part, ast.Constant) else r"[\w -]+" for part in node.values
                ))  # fmt: skip
    return [re.compile(rf"(?:{lab.folder}\.)?(?:{pattern})") for pattern in found if "." in pattern]


@EACH
def test_every_figure_can_be_drawn_in_both_languages(name):
    result = result_of(name)
    for number, draw in enumerate(result.lab.figures.values()):
        figure = draw(result.tables, Say(result.lab.folder, LANGUAGES[number % 2]))
        assert figure.axes
        figure.draw_without_rendering()
