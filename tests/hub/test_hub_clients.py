"""What the scripts of these tests import."""

from test_push import succeeded

from hf_llm.config import SOURCE

WHERE = """
from importlib.machinery import PathFinder
print(PathFinder.find_spec("hf_llm").origin)  # by the path alone, whatever an editable installation adds to it
"""


def test_a_script_imports_the_checkout_that_is_tested(scripts, tmp_path):
    (tmp_path / "where.py").write_text(WHERE)
    assert succeeded(scripts(tmp_path / "where.py")).strip() == str(SOURCE / "hf_llm" / "__init__.py")
