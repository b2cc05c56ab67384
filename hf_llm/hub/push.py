"""From a folder to the Hub: one commit that holds the whole model, on top of what was looked at, or nothing.

`upload_folder` may make several commits, of which the first ones are half a model to whoever loads it then. Here the
large files go first, where nobody sees them, and one commit names them all. It names its parent, too: a branch that
somebody else has moved meanwhile refuses it.
"""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from hf_llm.config import UserError, require
from hf_llm.hub.config import PushConfig
from hf_llm.hub.folder import Contents, contents_of, keep_names
from hf_llm.hub.names import kind_of
from hf_llm.hub.remote import RemoteFile, files_at
from hf_llm.hub.session import FIRST_ANSWER, connect, hub_errors, own_token

LATEST_PROPOSALS = 20  # pull requests that are looked at for the same content


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        commit: The commit that holds the content.
        url: Where to see it.
        changed: Paths that the commit added, changed or removed; none when it was there already.
    """

    commit: str
    url: str
    changed: list[str]


def push(config: PushConfig) -> Pushed:
    """Put the folder's content on the Hub as one commit; none where it is there already.

    Raises:
        UserError: When the folder is not to be pushed, the Hub cannot be reached or refuses, or the branch has moved.
            No commit was made then.
    """
    folder = Path(config.run)
    contents = contents_of(folder, config.repo_id)
    require(
        own_token() is not None,
        f"{folder} was not pushed: there is no token of the Hub here; log in with hf auth login, or set HF_TOKEN",
    )
    failure = f"{folder} was not pushed to {config.repo_id}"
    with hub_errors(failure, config.command):
        api = connect()
        head = _head(api, config)
        pushed = _already_there(api, config, contents, head)
        if pushed is None:
            there = files_at(api, config.repo_id, head)
            pushed = _commit(api, config, contents, there, head)
            _require_as_sent(files_at(api, config.repo_id, pushed.commit), contents, pushed, config)
    keep_names(folder, contents)
    return pushed


def _head(api: HfApi, config: PushConfig) -> str:
    """Return the commit that the branch is at; makes the repository, and the branch, where they are not there."""
    repo_id, branch = config.repo_id, config.revision
    try:
        main = api.model_info(repo_id, timeout=FIRST_ANSWER)
        require(
            main.private or not config.private,
            f"{repo_id} is there already and public, which --private does not change; make it private on its page, "
            "or take another name",
        )
    except RepositoryNotFoundError:
        if config.create_pr:
            raise
        api.create_repo(repo_id, private=config.private or None, exist_ok=True)
        main = api.model_info(repo_id, timeout=FIRST_ANSWER)
    if branch in (None, constants.DEFAULT_REVISION):
        return main.sha
    try:
        return api.model_info(repo_id, revision=branch, timeout=FIRST_ANSWER).sha
    except RevisionNotFoundError:
        api.create_branch(repo_id, branch=branch, revision=main.sha)
        return main.sha


def _already_there(api: HfApi, config: PushConfig, contents: Contents, head: str) -> Pushed | None:
    """Return where the content is already: at the branch's head, or in a pull request where one is asked for."""
    commits = {head: f"{api.endpoint}/{config.repo_id}/tree/{config.revision or constants.DEFAULT_REVISION}"}
    if config.create_pr:
        proposals = api.list_repo_refs(config.repo_id, include_pull_requests=True).pull_requests
        numbers = {int(ref.ref.rsplit("/", 1)[1]): ref.target_commit for ref in proposals}
        for number in sorted(numbers, reverse=True)[:LATEST_PROPOSALS]:
            commits[numbers[number]] = f"{api.endpoint}/{config.repo_id}/discussions/{number}"
    for commit, url in commits.items():
        if not _changes(files_at(api, config.repo_id, commit), contents):
            return Pushed(commit, url, [])
    return None


def _changes(there: dict[str, RemoteFile], contents: Contents) -> dict[str, bytes | Path | None]:
    """Return {path: new content, None where it goes} of what a commit must change.

    A model that is replaced leaves nothing behind that a loader would take for the new one's. Code may be of use to
    others and stays; so does whatever a push never brings.
    """
    changes = {
        path: content
        for path, content in contents.files.items()
        if path not in there or not there[path].is_same(content)
    }
    left_over = [path for path in there if path not in contents.files and kind_of(path) not in (None, "code")]
    return changes | dict.fromkeys(left_over)


def _commit(api: HfApi, config: PushConfig, contents: Contents, there: dict[str, RemoteFile], head: str) -> Pushed:
    require(
        contents.kind == "model" or "config.json" not in there,
        f"{config.repo_id} holds a model; push the tokenizer to a repository of its own",
    )
    changes = _changes(there, contents)
    operations = [
        CommitOperationDelete(path) if content is None else CommitOperationAdd(path, content)
        for path, content in changes.items()
    ]
    try:
        made = api.create_commit(
            config.repo_id,
            operations,
            commit_message=contents.name,
            revision=config.revision,
            parent_commit=head,
            create_pr=config.create_pr,
        )
    except HfHubHTTPError as error:
        if error.response.status_code != 412:
            raise
        raise UserError(
            f"{config.run} was not pushed: somebody else has changed {config.revision or constants.DEFAULT_REVISION} "
            f"of {config.repo_id} in the meantime, and that stays as it is; "
            f"look at it, and to go on top of it: {config.command}"
        ) from None
    return Pushed(made.oid, made.pr_url or made.commit_url, sorted(changes))


def _require_as_sent(there: dict[str, RemoteFile], contents: Contents, pushed: Pushed, config: PushConfig) -> None:
    """Refuse a commit whose files are not, by their hashes, those that were sent."""
    for path in _changes(there, contents):
        raise UserError(
            f"the Hub holds another {path} in {pushed.url} than was sent; do not use that commit, "
            f"and send it again: {config.command}"
        )
