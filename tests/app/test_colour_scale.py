"""The colour scale of the picture: one for all, counted in steps, with what is masked shown as such."""

import re
from xml.etree import ElementTree

import pytest
import torch
from picture_reading import drawn_shades

from hf_llm.app.pages.inside.colour_scale import STEPS, cells, legend, masked, shade


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, 0), (0.0099, 0), (0.01, 1), (0.1, 4), (0.99, 6), (1.0, 7), (1e9, 13), (-0.5, -6)]
)
def test_a_shade_counts_the_steps_that_a_number_has_reached(value, expected):
    assert shade(value) == expected


def test_a_tenth_is_another_shade_than_one_whatever_lies_beside_it():
    for neighbour in (1e-3, 1.0, 50.0):
        drawn = drawn_shades(cells(torch.tensor([[0.1, 1.0, neighbour]])), 1, 3)
        assert drawn[0][:2] == [4, 7]


def test_every_cell_is_drawn_once_in_its_shade():
    values = torch.randn(9, 7, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 3, 7)
    assert drawn_shades(cells(values), 9, 7) == [[shade(value) for value in row] for row in values.tolist()]


def test_the_masked_cells_are_those_right_of_the_diagonal():
    drawn = masked(5)
    hidden = [(int(row), int(start) + i) for start, row, width in re.findall(r"M(\d+) (\d+)h(\d+)", drawn)
              for i in range(int(width))]  # fmt: skip
    assert sorted(hidden) == [(row, column) for row in range(5) for column in range(row + 1, 5)]
    assert 'class="masked"' in drawn


@pytest.mark.parametrize(("lang", "tenth"), [("pt-BR", "0,1"), ("en", "0.1")])
def test_the_legend_has_every_shade_and_its_numbers_in_the_readers_language(lang, tenth):
    drawn, width = legend(0, 0, lang)
    group = ElementTree.fromstring(drawn)
    looks = [(path.get("class"), path.get("style")) for path in group.iter("path")]
    assert len(set(looks)) == len(looks) == 2 * len(STEPS) + 2  # below and above 0, 0 itself, and masked
    said = [label.text for label in group.iter("text")]
    assert {"−100", f"−{tenth}", "0", tenth, "1", "100"} <= set(said)
    assert said[-1] == {"pt-BR": "mascarado", "en": "masked"}[lang]
    assert max(float(label.get("x")) for label in group.iter("text")) < width
