"""docs/lecture-map, in each language, answers every number of the lecture once, and what it links to exists."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hf_llm.app.pages.discussion.answers import QUESTIONS
from hf_llm.app.pages.home.lesson import NAMES
from hf_llm.experiments.config import EXPERIMENTS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
APP = "http://127.0.0.1:7860/"
MAPS = {
    lang: (DOCS / name).read_text(encoding="utf-8")
    for lang, name in {"en": "lecture-map.md", "pt-BR": "lecture-map.pt-BR.md"}.items()
}
OPEN = {"en": "**Open", "pt-BR": "**Em aberto"}
EACH = pytest.mark.parametrize("lang", MAPS)


def rows(lang: str) -> dict[str, str]:
    """Return {number: its row}."""
    return {line.split(" | ")[0].strip("| "): line for line in MAPS[lang].splitlines() if re.match(r"\| L\d", line)}


def links(lang: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", MAPS[lang])


@EACH
def test_every_claim_has_one_row_in_order(lang):
    numbers = re.findall(r"^\| (L\d+) \|", MAPS[lang], flags=re.MULTILINE)
    assert numbers == [f"L{number}" for number in range(1, 47)]


def test_both_languages_give_the_same_kind_and_the_same_links():
    for number, row in rows("en").items():
        other = rows("pt-BR")[number].replace("report.pt-BR.md", "report.en.md").replace("lang=pt-BR", "lang=en")
        assert row.split(" | ")[1] == other.split(" | ")[1], number
        there, here = (re.findall(r"\]\(([^)]+)\)", re.sub("text=[^&]*&", "", each)) for each in (row, other))
        assert there == here, number


@EACH
def test_nothing_is_open(lang):
    assert not [number for number, row in rows(lang).items() if OPEN[lang].lower() in row.lower()]


@EACH
def test_the_files_that_it_links_to_exist_and_reports_are_in_its_language(lang):
    files = [link for link in links(lang) if not link.startswith(APP)]
    assert len(files) > 30
    for link in files:
        assert (DOCS / link).exists(), link
        if "/results/" in link:
            assert link.endswith(f"report.{lang}.md")


@EACH
def test_its_links_to_the_app_open_a_page_in_its_language(lang):
    opened = [urlsplit(link) for link in links(lang) if link.startswith(APP)]
    assert len(opened) > 46
    pages = {path.stem for path in (ROOT / "hf_llm" / "app" / "pages").iterdir()}
    for address in opened:
        assert (address.path.strip("/") or "home") in pages, address
        query = {name: value for name, (value,) in parse_qs(address.query).items()}
        assert query.pop("lang") == lang
        assert query.get("lab", EXPERIMENTS[0]) in EXPERIMENTS
        assert query.get("question", "L31") in QUESTIONS
        assert query.get("step", NAMES[0]) in NAMES


@EACH
def test_every_row_opens_a_page_of_the_app(lang):
    for number, row in rows(lang).items():
        assert APP in row, number


@EACH
def test_scripts_and_configs_that_it_names_exist(lang):
    named = re.findall(r"\b(?:scripts|configs)/[\w/-]+\.(?:py|yaml)", MAPS[lang])
    assert named
    assert all((ROOT / path).exists() for path in named)


# the verdicts that a row puts in words: when a new result has another one, the row must be written anew
SAYS = {
    "L3": {"backprop": {"autograd": "yes"}},
    "L4": {"activations": {"relu_dies": "yes", "relu_lives": "yes"}},
    "L6": {"activations": {"tanh_centred": "yes", "relu_centred": "no", "tanh_moved": "yes", "sigmoid_moved": "yes"}},
    "L7": {"activations": {"named_use_gelu": "yes", "most_use_gelu": "yes"}},
    "L8": {"architectures": {"relu_in_cnns": "yes", "relu_in_rnns": "no"}},
    "L11": {"optimizers": {"adam_is_both": "yes"}},
    "L12": {"optimizers": {"formulas_are_torchs": "yes"}},
    "L15": {"optimizers": {"decays_are_one_for_sgd": "yes", "decays_are_one_for_adam": "no"}},
    "L22": {"attention-scaling": {"gpt2_does_not_wait": "yes", "lstm_as_good": "yes"}},
    "L33": {
        "sgd-limits": {
            "momentum_behind_adam": "yes",
            "more_behind_on_rare": "yes",
            "most_of_gap_is_rare": "no",
            "adam_stores_twice": "yes",
        }
    },
    "L37": {"gpt2-anatomy": {"probe_word_class": "yes", "untrained_at_chance": "yes"}},
    "L39": {"attention-scaling": {"lstm_as_good": "yes", "lstm_better_beyond": "yes"}},
    "L40": {"gpt2-anatomy": {"top_agrees": "yes", "distance_over_tokens": "no"}},
    "L41": {"gpt2-anatomy": {"residuals_cost_most": "yes"}},
    "L43": {
        "pretrained-vs-finetuned": {
            "saves_bits": "yes",
            "unlabelled_helps_few": "yes",
            "general_helps_few": "inconclusive",
            "general_helps_many": "no",
            "story_forgets": "yes",
        }
    },
    "L44": {"attention-scaling": {"gpt2_does_not_wait": "yes", "in_linear_layers": "yes"}},
    "L45": {
        "tfidf-vs-llm": {
            "words_level_all": "yes",
            "finetuned_over_words_few": "yes",
            "order_finetuned_over_words": "yes",
        }
    },
    "L46": {"llm-judge": {"history_ratio": "yes", "history_kappa": "yes", "proxy_leaks": "yes"}},
}


@pytest.mark.parametrize("number", SAYS)
def test_what_a_row_says_is_what_the_results_found(number):
    for experiment, expected in SAYS[number].items():
        saved = json.loads((ROOT / "results" / experiment / "result.json").read_text(encoding="utf-8"))
        found = {finding["key"]: finding["supported"] for finding in saved["findings"]}
        assert {key: found[key] for key in expected} == expected
        assert f"results/{experiment}/report.en.md" in rows("en")[number]
