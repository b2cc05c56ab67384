"""Reads a picture back: which shade each cell of it has."""

import re


def drawn_shades(paths: str, rows: int, columns: int) -> list[list[int]]:
    """Return the shade of each cell, 0 where nothing is drawn; no cell may be drawn twice."""
    found = [[0] * columns for _ in range(rows)]
    for css, level, squares in re.findall(r'<path (?:class="([a-z ]*)" )?style="--n:(\d+)" d="([^"]*)"', paths):
        for column, row, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", squares):
            for cell in range(int(column), int(column) + int(width)):
                assert found[int(row)][cell] == 0
                found[int(row)][cell] = -int(level) if "below" in css else int(level)
    return found
