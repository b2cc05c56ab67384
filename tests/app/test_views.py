"""The pieces of HTML: a reader's text stays text in every one of them, and numbers are written as the language does."""

import base64
import json
import re

import pytest

from hf_llm.app import views

HOSTILE = '<b onclick="x">&"'
ESCAPED = "&lt;b onclick=&quot;x&quot;&gt;&amp;&quot;"
WRITTEN = {
    "table": lambda: views.table([{HOSTILE: HOSTILE}], {HOSTILE: HOSTILE}, HOSTILE, "en"),
    "downloads": lambda: views.downloads(HOSTILE, [{"a": 1}], "en"),
    "figure data": lambda: views.figure_data("name", [{"a": HOSTILE}], {"a": HOSTILE}, HOSTILE, "en"),
    "code": lambda: views.code(HOSTILE, "en"),
    "message": lambda: views.message(HOSTILE),
    "image": lambda: views.image(b"", HOSTILE),
    "tokens": lambda: views.tokens([HOSTILE], [HOSTILE]),
    "heat map": lambda: views.heat_map([[1.0]], [HOSTILE], [HOSTILE], HOSTILE, "en"),
    "bars": lambda: views.bars([HOSTILE], [1.0], HOSTILE, "en"),
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_a_readers_text_stays_text(write):
    written = write()
    assert "<b " not in written
    assert ESCAPED in written


@pytest.mark.parametrize(
    ("value", "lang", "shown"),
    [(0.125, "en", "0.125"), (0.125, "pt-BR", "0,125"), (0.00004, "en", "4.00 × 10⁻⁵"), (0.0, "pt-BR", "0"),
     (None, "en", "–"), ("a<b", "en", "a&lt;b")],
)  # fmt: skip
def test_the_cells_of_a_table_are_in_the_readers_language(value, lang, shown):
    assert f"<td>{shown}</td>" in views.table([{"x": value}], {"x": "x"}, "c", lang)


def test_large_counts_have_separators():
    (english,), (portuguese,) = (
        re.findall(r"<td>(.*?)</td>", views.table([{"n": 1006336}], {"n": "n"}, "c", lang)) for lang in ("en", "pt-BR")
    )
    assert (english, portuguese) == ("1,006,336", "1.006.336")


def test_the_saved_data_is_the_data():
    records = [{"token": "ação;\n", "value": 0.1}, {"token": '"', "value": None}]
    saved = dict(
        re.findall(r'download="d\.(\w+)" href="data:[\w/]+;base64,([^"]*)"', views.downloads("d", records, "en"))
    )
    assert json.loads(base64.b64decode(saved["json"])) == records
    assert base64.b64decode(saved["csv"]).decode() == 'token,value\r\n"ação;\n",0.1\r\n"""",\r\n'


def test_shades_are_fractions_of_the_largest_and_a_negative_cell_says_so():
    drawn = views.heat_map([[1.0, -2.0, None]], ["r"], ["a", "b", "c"], "map", "en", chosen=(0, 1))
    assert re.findall(
        r'class="(cell[^"]*)" data-choose="[^"]*" aria-pressed="[^"]*" style="--shade:([\d.]+)"', drawn
    ) == [
        ("cell", "0.500"),
        ("cell minus", "1.000"),
    ]
    assert re.findall(r'data-choose="(\d,\d)" aria-pressed="true"', drawn) == ["0,1"]
