"""From a folder to the Hub: a finished run, or a tokenizer alone."""

from contextlib import nullcontext
from pathlib import Path

from huggingface_hub import constants

from hf_llm.hub.commit import Destination, Pushed, commit_contents
from hf_llm.hub.config import PushConfig
from hf_llm.hub.folder import contents_of, keep_names
from hf_llm.runs.lock import hold
from hf_llm.runs.manifest import NAME


def push(config: PushConfig) -> Pushed:
    """Put the folder's content on the Hub as one commit; none where it is there already.

    Raises:
        UserError: When the folder is not to be pushed or in use, the Hub cannot be reached or refuses, or the branch
            has moved; no commit was made then. Also when the folder's card cannot be written after the commit.
    """
    folder = Path(config.run)
    with hold(folder) if (folder / NAME).is_file() else nullcontext():  # no training writes there meanwhile
        contents = contents_of(folder, config.repo_id)
        pushed = commit_contents(
            contents,
            Destination(
                config.repo_id,
                private=config.private,
                branch=config.revision or constants.DEFAULT_REVISION,
                create_pr=config.create_pr,
                failure=f"{folder} was not pushed to {config.repo_id}",
                retry=config.command,
            ),
        )
        keep_names(folder, contents)
    return pushed
