"""docs/lecture-map.md answers every number of the lecture once, and what it links to exists."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
MAP = (DOCS / "lecture-map.md").read_text(encoding="utf-8")


def test_every_claim_has_one_row_in_order():
    assert re.findall(r"^\| (L\d+) \|", MAP, flags=re.MULTILINE) == [f"L{number}" for number in range(1, 47)]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((\.\./[^)]+)\)", MAP))))
def test_what_it_links_to_exists(link):
    assert (DOCS / link).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b(?:scripts|configs)/[\w/-]+\.(?:py|yaml)", MAP))))
def test_scripts_and_configs_that_it_names_exist(path):
    assert (DOCS.parent / path).exists()
