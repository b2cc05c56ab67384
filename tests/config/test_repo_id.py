"""Names of repositories: what we let through, the Hub's client lets through too."""

import pytest
from huggingface_hub.utils import HFValidationError, validate_repo_id
from hypothesis import given
from hypothesis import strategies as st

from hf_llm.config import UserError, check_publishing, check_repo_id

PART = st.text("aZ0_.-é/ \n", min_size=0, max_size=6)


@pytest.mark.parametrize("name", ["me/verdict", "a/b", "me_2/gpt2-small.v1", "me/" + "a" * 96])
def test_a_name(name):
    check_repo_id(name)


@pytest.mark.parametrize(
    "name", ["", "verdict", "me/", "/verdict", "a/b/c", "me/a b", "me/-a", "me/a.", "me/a--b", "me/a..b", "../a",
             "me/a.git", "me/" + "a" * 97, "me/a\n", "me/é"],
)  # fmt: skip
def test_no_name(name):
    with pytest.raises(UserError, match="no name on the Hub"):
        check_repo_id(name)
    with pytest.raises(UserError):
        check_publishing(True, name)
    check_publishing(False, name)  # nobody asked


@given(st.builds("{}/{}".format, PART, PART))
def test_nothing_passes_that_the_client_refuses(name):
    try:
        validate_repo_id(name)
    except HFValidationError:
        with pytest.raises(UserError):
            check_repo_id(name)
