"""The board for digits in a real browser: a stroke by mouse or by keyboard, and taking it back."""

import pytest


@pytest.fixture
def board(watch):
    seen = watch()
    seen.open("mnist", "en")
    seen.page.locator(".board canvas").scroll_into_view_if_needed()
    return seen.page


def content(page) -> str:
    return page.evaluate("document.querySelector('.board canvas').toDataURL()")


def stroke(page, y: float) -> None:
    box = page.locator(".board canvas").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + y)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + y, steps=4)
    page.mouse.up()


def sent(page) -> str:
    """Return the picture that Python has, once the page has told it."""
    page.wait_for_timeout(700)
    return page.get_by_label("drawing", exact=True).input_value()


def test_strokes_are_taken_back_one_by_one(board):
    pictures = [content(board)]
    for y in (80, 200):
        stroke(board, y)
        pictures.append(content(board))
    assert len(set(pictures)) == 3
    undo = board.get_by_role("button", name="Undo the last stroke")
    undo.click()
    assert content(board) == pictures[1]
    assert content(board).endswith(sent(board))  # the networks answer to what is left
    undo.click()
    assert content(board) == pictures[0]
    undo.click()  # there is nothing more
    assert content(board) == pictures[0]


def test_clearing_is_taken_back_too(board):
    drawn = content(board)
    board.get_by_role("button", name="Clear the drawing").click()
    assert content(board) != drawn
    board.locator(".board").focus()
    board.keyboard.press("Control+z")
    assert content(board) == drawn


def test_a_stroke_by_keyboard_is_one_stroke(board):
    drawn = content(board)
    board.locator(".board").focus()
    for key in (" ", "ArrowRight", "ArrowRight", "ArrowDown", " "):
        board.keyboard.press(key)
    assert content(board) != drawn
    board.keyboard.press("Control+z")
    assert content(board) == drawn
