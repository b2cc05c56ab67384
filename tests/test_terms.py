"""docs/terms.md and docs/terms.pt-BR.md define the same terms, each with an example, and reports link to them."""

import re
from pathlib import Path

import pytest

from hf_llm.experiments.frame.lab import Say
from hf_llm.experiments.frame.report import TEMPLATE

DOCS = Path(__file__).parents[1] / "docs"
FILES = {"en": DOCS / "terms.md", "pt-BR": DOCS / "terms.pt-BR.md"}
TERMS = {
    "Seed": "Semente", "Paired difference": "Diferença pareada", "95% interval": "Intervalo de 95 %", "Nat": "Nat",
    "Perplexity": "Perplexidade", "Bits per byte": "Bit por byte", "F1": "F1", "AUC": "AUC",
    "Held-out text": "Texto reservado", "Residual stream": "Fluxo residual",
}  # fmt: skip


def sections(lang: str) -> dict[str, str]:
    """Return {heading: what stands under it}."""
    _, *found = re.split(r"^## (.+)\n", FILES[lang].read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2]))


def test_both_languages_define_the_same_terms():
    assert list(sections("en")) == list(TERMS)
    assert list(sections("pt-BR")) == list(TERMS.values())


@pytest.mark.parametrize(
    ("lang", "example", "foreign"), [("en", "*Example:*", None), ("pt-BR", "*Exemplo:*", "Em inglês")]
)
def test_each_is_defined_in_one_to_three_sentences_with_an_example(lang, example, foreign):
    for term, said in sections(lang).items():
        definition, shown = said.split(example)
        sentences = [part for part in re.split(r"(?<=[.!?])\s+", definition.strip()) if part]
        sentences = [sentence for sentence in sentences if foreign is None or not sentence.startswith(foreign)]
        assert 1 <= len(sentences) <= 3, term
        assert re.search(r"\d", shown), term


@pytest.mark.parametrize("lang", FILES)
def test_every_report_links_to_them(lang):
    assert "{{ terms }}" in TEMPLATE.read_text(encoding="utf-8")
    link = re.search(r"\]\((.+)\)", Say("frame", lang)("terms", docs="docs"))
    assert DOCS.parent / link[1] == FILES[lang]
