"""From this project to a Space: its files are written aside, tried in a fresh environment, and only then committed."""

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from huggingface_hub import constants

from hf_llm.hub.commit import Contents, Destination, Pushed, commit_contents
from hf_llm.hub.config import SpaceConfig
from hf_llm.hub.failures import require_token
from hf_llm.hub.secrets import refuse_secrets
from hf_llm.hub.space_check import start
from hf_llm.hub.space_environment import fresh_environment
from hf_llm.hub.space_files import write_space


def push_space(config: SpaceConfig) -> Pushed:
    """Put the app with its models on the Hub as a Space, in one commit; none where it is there already.

    Raises:
        UserError: When a run cannot be shown, the app does not start from these files alone, the Hub cannot be reached
            or refuses, or the branch has moved. No commit was made then.
    """
    failure = f"the Space was not pushed to {config.repo_id}"
    require_token(failure)  # not after minutes of installing
    with tempfile.TemporaryDirectory(prefix="space-") as name:
        folder = Path(name)
        write_space(folder, [Path(run) for run in config.runs])
        refuse_secrets(folder)
        with fresh_environment(folder) if config.fresh_environment else nullcontext(Path(sys.executable)) as python:
            start(folder, python)
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        return commit_contents(
            Contents(files, "space", "hf_llm, the app"),
            Destination(
                config.repo_id,
                private=config.private,
                branch=constants.DEFAULT_REVISION,
                create_pr=False,
                failure=failure,
                retry=config.command,
            ),
        )
