"""Names of repositories on the Hub, by its own rules: a wrong one is said at once, not when a training is over."""

import re

from hf_llm.config.errors import require
from hf_llm.config.ways_out import written

# as in huggingface_hub.utils.validate_repo_id, but with an owner
REPO_ID = re.compile(r"\w(?:[\w.-]*\w)?/\w(?:[\w.-]{0,94}\w)?", re.ASCII)


def check_repo_id(repo_id: str) -> None:
    """Raise a `UserError` unless `repo_id` can be a name on the Hub."""
    require(
        REPO_ID.fullmatch(repo_id) is not None
        and ".." not in repo_id
        and "--" not in repo_id
        and not repo_id.endswith(".git"),
        f"{repo_id!r} is no name on the Hub: it must be owner/name, of letters, digits, '-', '_' and '.'",
    )


def check_publishing(push_to_hub: bool, hub_model_id: str | None) -> None:
    """Raise a `UserError` when something is to be pushed, but not to a name on the Hub."""
    if push_to_hub:
        require(bool(hub_model_id), f"push_to_hub wants to know where to: set {written('hub_model_id')} owner/name")
        check_repo_id(hub_model_id)
