"""Gradio imported without its type stubs, and nothing worked out twice: all that an app uses is as ever."""

import json
import subprocess

import pytest

from hf_llm.config import child_environment, python

SCRIPT = """
import ast, contextlib, gc, inspect, json, sys
import jinja2
parsed, parse = [], ast.parse
ast.parse = lambda *args, **given: parsed.append(1) or parse(*args, **given)
compiled, template = [], jinja2.Template
jinja2.Template = lambda *args: compiled.append(1) or template(*args)
read, argspec = [], inspect.getfullargspec
inspect.getfullargspec = lambda which: read.append(1) or argspec(which)
if {quick}:
    from hf_llm.app.quick_import import quick_start as start
else:
    start = contextlib.nullcontext
def answer(text: str, many: int = 2) -> str:
    "Say it."
    return text * many

ways = [inspect.signature, inspect.getfullargspec, jinja2.Template, inspect.getfile]
with start():
    import gradio as gr
    collected = gc.isenabled()
    pandas = "pandas" in sys.modules
    with gr.Blocks() as blocks:
        boxes = [gr.Textbox(label=str(n), value=n) for n in range(20)]
        view = gr.HTML("", js_on_load="1")
        view.select(lambda text: text, boxes[0], boxes[1])
        gr.api(answer)
        gr.Dataframe([[1, 2.5]], headers=["a", "b"])  # by pandas
    config = blocks.get_config_file()
print(json.dumps({{
    "parsed": len(parsed), "compiled": len(compiled), "read": len(read), "collected": collected, "pandas": pandas,
    "collects": gc.isenabled(), "frozen": gc.get_freeze_count(),
    "restored": ways == [inspect.signature, inspect.getfullargspec, jinja2.Template, inspect.getfile],
    "same": [inspect.getfile(gr.Textbox), config["components"], config["dependencies"], blocks.get_api_info(),
             gr.Textbox.change.__doc__, gr.Slider.change.__doc__, "matplotlib.pyplot" in sys.modules],
}}))
"""


@pytest.fixture(scope="module")
def both() -> list[dict]:
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


@pytest.mark.parametrize("work", ["parsed", "compiled", "read"])
def test_little_of_the_work_is_left(both, work):
    usual, quick = both
    assert quick[work] < usual[work] / 2


def test_pandas_waits_until_something_of_it_is_used(both):
    usual, quick = both
    assert (usual["pandas"], quick["pandas"]) == (True, False)


def test_components_and_public_functions_are_the_same(both):
    usual, quick = both
    assert quick["same"] == usual["same"]
    assert usual["same"][4] != usual["same"][5]


def test_garbage_is_collected_again_but_for_what_stays(both):
    _, quick = both
    assert (quick["collected"], quick["collects"]) == (False, True)
    assert quick["frozen"] > 100_000


def test_nothing_stays_replaced(both):
    assert both[1]["restored"]
