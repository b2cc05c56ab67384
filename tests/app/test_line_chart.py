"""Line charts: every point at its position, text escaped, axes in the reader's language."""

import re

import pytest

from hf_llm.app.line_chart import BOTTOM, HEIGHT, RIGHT, TOP, WIDTH, Line, left_of, line_chart


def points(chart: str) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]*)"', chart)[1].split()]


def test_the_ends_lie_in_the_corners():
    chart = line_chart([Line("a", [(0, 1), (10, 3)])], "c", "x", "y", "en")
    assert points(chart) == [(round(left_of(["2.5"]), 1), HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)]


def test_the_numbers_of_the_axis_and_its_title_keep_apart():
    for values in ([1e-9, 2e-9], [1e6, 5e6]):
        chart = line_chart([Line("a", list(enumerate(values)))], "c", "x", "a long title of an axis", "en")
        texts = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"(?: text-anchor="(\w+)")?>([^<]*)<', chart)
        ((x, y, anchor, _),) = [one for one in texts if "title" in one[3]]
        numbers = [(float(x), float(y), said) for x, y, anchor, said in texts if anchor == "end"]
        assert (x, anchor) == ("0", "")
        assert all(float(y) + 12 < number_y for _, number_y, _ in numbers)
        assert all(right >= 8 * len(said) for right, _, said in numbers)  # from the left edge on


def test_a_logarithmic_axis_puts_the_geometric_mean_in_the_middle():
    (_, low), (_, middle), (_, high) = points(
        line_chart([Line("a", [(0, 0.01), (1, 1), (2, 100)])], "c", "x", "y", "en", log=True)
    )
    assert middle == pytest.approx((low + high) / 2, abs=0.1)


def test_what_is_not_finite_is_left_out():
    chart = line_chart([Line("a", [(0, 1), (1, float("nan")), (2, float("inf")), (3, 2)])], "c", "x", "y", "en")
    assert len(points(chart)) == 2
    assert "nan" not in chart
    assert len(points(line_chart([Line("a", [(0, 0), (1, 1), (2, 2)])], "c", "x", "y", "en", log=True))) == 2


@pytest.mark.parametrize("values", [[], [(1, 1)], [(1, 1), (2, 1)], [(0, 1e-9), (1, 1e9)]])
@pytest.mark.parametrize("log", [False, True])
def test_it_draws_whatever_there_is(values, log):
    assert "<svg" in line_chart([Line("a", values)], "c", "x", "y", "en", log)


def test_text_is_escaped_and_numbers_translated():
    chart = line_chart([Line("<b>", [(0, 0), (1, 1)])], "<i>", "<u>", "<s>", "pt-BR")
    assert not re.search("<[bius]>", chart)
    assert ">0,4<" in chart
