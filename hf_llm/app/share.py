"""The part of a page that makes links to it: one with its settings, and one for a class that locks or hides some.

A link for a class comes with its QR code, so that a projector shows it to the class's telephones.
"""

import functools
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import gradio as gr
import segno
from segno.encoder import DataOverflowError

from hf_llm.app.config import checked
from hf_llm.app.i18n import t
from hf_llm.app.server.links import signed_link
from hf_llm.app.server.network import is_loopback
from hf_llm.app.views import message
from hf_llm.config import require, written
from hf_llm.texts import Language, both, text

if TYPE_CHECKING:
    from hf_llm.app.page import App, Controls, Needs, Page


def share(page: "Page", controls: "Controls", needs: dict[str, "Needs"], in_force: str) -> None:
    """Lay out the links and bind them.

    Args:
        page: On which they are.
        controls: {name of a setting: its control}.
        needs: Of `Page.settings`.
        in_force: The settings as `hf_llm.link` of app.js reads them.
    """
    values = list(controls.values())
    with gr.Accordion(t("app.share"), open=False, elem_classes="share") as opened:
        with gr.Row(equal_height=True):
            link = gr.Textbox(label=t("app.link"), scale=4)  # one can select in it, unlike in a disabled one
            make = gr.Button(t("app.make_link"), scale=1)
        gr.Markdown(t("app.class_intro"))
        offered = _labels(controls)
        lock = gr.CheckboxGroup(offered, label=t("app.lock"))
        hide = gr.CheckboxGroup(offered, label=t("app.hide"))
        with gr.Row(equal_height=True):
            for_class = gr.Textbox(label=t("app.locked_link"), scale=4)
            make_class = gr.Button(t("app.make_class_link"), scale=1)
        code = page.view()
    address = gr.Textbox(visible="hidden", label="address", container=False)
    js = f"(...values) => hf_llm.link({in_force}, values)"
    made = make.click(None, values, link, js=js, api_visibility="private")
    asked = make_class.click(None, values, address, js=js, api_visibility="private")
    sign = functools.partial(signed, page=page.name, names=[*controls])
    given = {"address": address, "lock": lock, "hide": hide}
    done = page.on(asked.then, sign, given, [for_class, code])
    for event, box in ((made.then, link), (done.success, for_class)):
        event(None, box, None, js="(link) => hf_llm.copy(link)", api_visibility="private")
    done.success(None, None, None, js="() => hf_llm.show('.share .qr-code')", api_visibility="private")
    for chosen in (lock, hide):  # the link that is there was made for another choice
        chosen.input(None, None, [for_class, code], js="() => ['', '']", api_visibility="private")
    if needs:
        decisive = {name: controls[name] for needed in needs.values() for name in needed}
        offer = functools.partial(offers, controls=controls, needs=needs)
        page.on([opened.expand, *(control.change for control in decisive.values())], offer, decisive, [lock, hide])


def offers(app: "App", *, controls: "Controls", needs: dict[str, "Needs"], lang: Language, **values) -> tuple:
    """Return what may be locked and what hidden now: the controls that have an effect at these `values`."""
    now = {
        name: control
        for name, control in controls.items()
        if all(values[other] in wanted for other, wanted in needs.get(name, {}).items())
    }
    update = gr.update(choices=_labels(now), value=[])
    return update, update


def signed(
    app: "App", *, address: str, lock: list[str], hide: list[str], page: str, names: list[str], lang: Language
) -> tuple[str, str]:
    """Return the link of a page whose controls are partly locked or hidden, and its QR code as HTML.

    Where no other machine can open the link, a sentence above the code says so.

    Raises:
        UserError: When nothing is locked or hidden, or the link is impossibly long.
    """
    address = checked(address, 10 * app.config.max_characters)
    lock, hide = ([name for name in chosen or [] if name in names] for chosen in (lock, hide))
    require(bool(lock or hide), both("app.choose_locks"))
    link = signed_link(page, address, lock, hide, names)
    host = urlsplit(link).hostname or ""
    alone = message(text("app.opens_here_only", lang, setting=written("host")), "bad") if is_loopback(host) else ""
    return link, alone + qr_code(link, lang)


def qr_code(link: str, lang: Language) -> str:
    """Return the QR code of a link as an SVG, dark on white whatever the theme; a sentence where it is too long."""
    try:
        drawn = segno.make_qr(link, error="l", boost_error=False).svg_inline(omitsize=True, light="#fff")
    except DataOverflowError:
        return message(text("app.no_qr_code", lang))
    return f'<div class="qr-code" role="img" aria-label="{escape(text("app.qr_code", lang))}">{drawn}</div>'


def _labels(controls: "Controls") -> list[tuple]:
    return [(control.label, name) for name, control in controls.items() if control.visible is True]
