"""`--push_to_hub`: a finished run goes to the Hub, and a Hub that is down takes nothing from it."""

import os
import sys

from hf_llm.config import UserError, one_line
from hf_llm.hub.config import PushConfig
from hf_llm.hub.failures import without_token
from hf_llm.hub.push import push


def push_after_training(output_dir: str, repo_id: str, private: bool) -> None:
    """Push what a script has just finished; say why when that fails, with the command to try again.

    Of several processes the first one pushes.

    Args:
        output_dir: Its folder.
        repo_id: owner/name on the Hub.
        private: Whether a repository that is made is.
    """
    if os.environ.get("RANK", "0") != "0":
        return
    config = PushConfig(run=output_dir, repo_id=repo_id, private=private)
    try:
        pushed = push(config)
    except UserError as error:
        print(f"warning: {one_line(error)}", file=sys.stderr)
    except Exception as error:  # a fault of ours must not make a finished training look like a failed one
        what = without_token(f"{output_dir} was not pushed to {repo_id}: {type(error).__name__}: {error}")
        print(f"warning: {one_line(what)}; the command to try again: {config.command}", file=sys.stderr)
    else:
        print(f"{output_dir} → {pushed.url}")
