"""The drawing board of the page, and what is put on it: an address's picture, example digits, presets."""

from html import escape

import gradio as gr

from hf_llm.app.page import App
from hf_llm.app.pages.mnist.models import its_source
from hf_llm.app.pages.mnist.pictures import as_picture, examples, image_tag, preset, sources
from hf_llm.app.texts import Language, text
from hf_llm.app.views import message
from hf_llm.config import UserError


def begin(app: App, drawing: str, left: str | None, lang: Language) -> tuple[str, str]:
    """Return the picture that the page opens with, the address's or else a digit, and the board that holds it."""
    drawing = drawing or preset("centred", its_source(app, left))[0]
    return drawing, show_board(drawing, lang)


def show_board(drawing: str, lang: Language) -> str:
    """Return the drawing board with a picture on it; draw.js makes it work."""
    keys = ("board", "keys", "pen_place", "pen_down", "pen_up", "clear")
    said = {key: escape(text(f"mnist.{key}", lang)) for key in keys}
    return (
        f'<div class="board" data-board tabindex="0" role="application" aria-label="{said["board"]}"'
        f' aria-describedby="board-keys"><canvas width="140" height="140" data-picture="{escape(drawing)}"></canvas>'
        f'<span class="pen" aria-hidden="true"></span></div><p id="board-keys">{said["keys"]}</p>'
        f'<p role="status" class="place" data-place="{said["pen_place"]}" data-down="{said["pen_down"]}"'
        f' data-up="{said["pen_up"]}"></p><button type="button" class="token" data-clear>{said["clear"]}</button>'
    )


def drawn(evt: gr.EventData, lang: Language) -> str:
    """Return what was drawn, for the hidden text that holds the picture."""
    return str(evt.choice)


def show_examples(lang: Language) -> str:
    """Return the example digits as buttons."""
    parts = []
    for source in sources():
        title = text(f"mnist.examples_{source}", lang)
        digits = "".join(
            f'<li><button type="button" class="example" data-choose="{source} {digit}">'
            f"{image_tag(pixels, text('mnist.example', lang, digit=digit, source=title))}</button></li>"
            for digit, pixels in enumerate(examples(source))
        )
        parts.append(f'<figure><figcaption>{title}</figcaption><ol class="tokens" data-arrows>{digits}</ol></figure>')
    return "".join(parts)


def choose_example(evt: gr.EventData, lang: Language) -> tuple[str, str, str]:
    """Return the chosen example as the picture, the board with it, and no reason."""
    source, _, digit = str(evt.choice).partition(" ")
    if source not in sources() or digit not in [str(each) for each in range(10)]:
        raise UserError(text("mnist.no_example", lang))
    drawing = as_picture(examples(source)[int(digit)])
    return drawing, show_board(drawing, lang), ""


def choose_preset(app: App, name: str, left: str | None, lang: Language) -> tuple[str, bool, str, str]:
    """Return the picture of a preset, whether light paper is inverted, the board, and the reason why to look at it."""
    drawing, invert = preset(name, its_source(app, left))
    return drawing, invert, show_board(drawing, lang), message(text(f"mnist.reason_{name}", lang))
