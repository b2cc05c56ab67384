"""Gradio imported without its type stubs: what is left out is what no app uses, and everything else is as ever."""

import json
import subprocess

import pytest

from hf_llm.config import child_environment, python

SCRIPT = """
import ast, contextlib, gc, inspect, json, sys
parsed, parse = [], ast.parse
ast.parse = lambda *args, **given: parsed.append(1) or parse(*args, **given)
if {quick}:
    from hf_llm.app.quick_import import quick_start as start
else:
    start = contextlib.nullcontext
with start():
    import gradio as gr
    collected = gc.isenabled()
with gr.Blocks() as blocks:
    box, view = gr.Textbox(), gr.HTML("", js_on_load="1")
    view.select(lambda text: text, box, box)
config = blocks.get_config_file()
print(json.dumps([len(parsed), collected, gc.isenabled(), gc.get_freeze_count(), inspect.getfile(gr.Textbox),
                  [each["props"] for each in config["components"]], "matplotlib.pyplot" in sys.modules]))
"""


@pytest.fixture(scope="module")
def both() -> list[list]:
    """What each way to import says, the usual one first."""
    answers = []
    for quick in (False, True):
        done = subprocess.run(
            python("-c", SCRIPT.format(quick=quick)),
            capture_output=True,
            text=True,
            env=child_environment(),
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    return answers


def test_no_component_is_parsed(both):
    usual, quick = both
    assert quick[0] < usual[0] / 5


def test_components_are_the_same(both):
    usual, quick = both
    assert quick[4:] == usual[4:]


def test_garbage_is_collected_again_but_for_what_stays(both):
    _, quick = both
    assert quick[1:3] == [False, True]
    assert quick[3] > 100_000
