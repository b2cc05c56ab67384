"""What a page offers to lock, and the QR code of a link for a class."""

import gradio as gr
import pytest

from hf_llm.app.config import AppConfig
from hf_llm.app.page import App
from hf_llm.app.server.links import read_link
from hf_llm.app.share import offers, qr_code, signed
from hf_llm.config import UserError

ADDRESS = "http://10.0.0.7:7860/?step=mask&text=O+gato"


def app() -> App:
    return App(AppConfig(max_characters=1000), library=None, trainings=None, pages=("home",))


def make(lock, hide, address=ADDRESS):
    return signed(app(), address=address, lock=lock, hide=hide, page="home", names=["step", "text"], lang="en")


def test_a_link_for_a_class_locks_and_has_its_qr_code():
    link, code = make(["text", "unknown"], [])
    found = read_link("home", link.partition("?")[2], ["step", "text"])
    assert (found.asked["step"], found.asked["text"], found.changed) == ("mask", "O gato", False)
    assert found.locked == {"text"}
    assert code == qr_code(link, "en")
    assert "<svg" in code
    assert 'aria-label="QR code' in code
    assert code != qr_code(link + "&lang=en", "en")


def test_a_link_that_only_this_machine_opens_says_so():
    _, code = make(["text"], [], ADDRESS.replace("10.0.0.7", "localhost"))
    assert "opens on this computer only" in code
    assert "start the app with host 0.0.0.0" in code
    assert "<svg" in code


def test_nothing_locked_is_a_sentence():
    with pytest.raises(UserError, match="First choose"):
        make([], [])


def test_a_link_too_long_for_a_qr_code_says_so():
    assert "too long for a QR code" in qr_code(ADDRESS + "a" * 3000, "en")
    assert "longo demais" in qr_code(ADDRESS + "a" * 3000, "pt-BR")


def test_only_what_has_an_effect_now_is_offered():
    with gr.Blocks():
        controls = {
            "step": gr.Textbox(visible="hidden"),
            "text": gr.Textbox(label="Sentence"),
            "mask_on": gr.Checkbox(label="Mask"),
            "neuron_weight": gr.Slider(label="Weight"),
        }
    needs = {"mask_on": {"step": ["mask"]}, "neuron_weight": {"step": ["neuron"]}}
    lock, hide = offers(app(), controls=controls, needs=needs, lang="en", step="mask")
    assert lock["choices"] == hide["choices"] == [("Sentence", "text"), ("Mask", "mask_on")]
