"""A reader who follows a recipe from its script to `train` and back enters few files, in the order they run in."""

import ast
import inspect

import pytest

from hf_llm.recipes import classifier, finetune, pretrain

FILES = 9  # on the way to `train` and back, the recipe's own and the loop's included
LINES = (40, 60)  # of a recipe, without its docstring
RECIPES = pytest.mark.parametrize(
    ("module", "recipe"),
    [(pretrain, "pretrain"), (classifier, "train_classifier"), (finetune, "finetune")],
    ids=["pretrain", "classifier", "finetune"],
)


def files_entered(module, recipe: str) -> set[str]:
    """Return the modules whose functions run until `train` returns, as the recipe and its own helpers call them."""
    tree = ast.parse(inspect.getsource(module))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    origin = {
        alias.asname or alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("hf_llm.")
        for alias in node.names
    }
    entered, ahead, last = {module.__name__}, [recipe], None
    while ahead:
        name = ahead.pop()
        calls = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Call)]
        if name == recipe:
            last = next(call.lineno for call in calls if getattr(call.func, "id", "") == "train")
            calls = [call for call in calls if call.lineno <= last]
        for call in calls:
            called = getattr(call.func, "id", None)
            if called in functions:
                ahead.append(called)
            elif called in origin:
                entered.add(origin[called])
    return entered


@RECIPES
def test_the_way_to_the_loop_enters_few_files(module, recipe):
    entered = files_entered(module, recipe)
    assert {module.__name__, "hf_llm.training.loop", "hf_llm.runs.run"} <= entered
    assert len(entered) <= FILES, sorted(entered)


@RECIPES
def test_a_recipe_is_a_straight_function(module, recipe):
    function = ast.parse(inspect.getsource(getattr(module, recipe))).body[0]
    docstring = function.body[0]
    lines = function.end_lineno - (docstring.end_lineno - docstring.lineno + 1)
    assert LINES[0] <= lines <= LINES[1]
    assert not any(
        isinstance(node, ast.FunctionDef | ast.Lambda) for node in ast.walk(function) if node is not function
    )
