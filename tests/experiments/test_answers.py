"""docs/answers: the seven questions, each with the answer that its report gives now, in both languages."""

import json
import re
from pathlib import Path

import pytest

from hf_llm.config import UserError
from hf_llm.experiments.answers import PAGES, SEVEN, answers_page, write_answers

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("lang", PAGES)
def test_the_page_says_what_the_results_say(lang):
    page = (ROOT / "docs" / PAGES[lang]).read_text(encoding="utf-8")
    assert page == answers_page(ROOT / "results", ROOT / "docs", lang)  # hf-llm discuss answers
    for name in SEVEN.values():
        assert (ROOT / "docs" / f"../results/{name}/report.{lang}.md").is_file()
    assert len(re.findall(r"^## L\d+", page, flags=re.MULTILINE)) == 7


@pytest.mark.parametrize("name", SEVEN.values())
@pytest.mark.parametrize("lang", PAGES)
def test_an_answer_has_three_sentences(lang, name):
    answer = json.loads((ROOT / "results" / name / "result.json").read_text(encoding="utf-8"))["answer"][lang]
    assert len(re.findall(r"[.!?](?= [A-ZÀ-Ý“]|$)", answer)) == 3, answer


def test_a_missing_result_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(UserError, match=r"hf-llm discuss relu-depth"):
        write_answers(tmp_path, tmp_path / "docs")
