"""One commit that holds the whole of something, on top of what was looked at, or none.

`upload_folder` may make several commits, of which the first ones are half a model to whoever loads it then. Here the
large files go first, where nobody sees them, and one commit names them all. It names its parent, too: a branch that
somebody else has moved meanwhile refuses it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from hf_llm.config import UserError, require, written
from hf_llm.hub.client import FIRST_ANSWER, RemoteFile, connect, files_at
from hf_llm.hub.failures import hub_errors, require_token
from hf_llm.hub.safety import kind_of

LATEST_PROPOSALS = 20  # pull requests that are looked at for the same content
SPACE_FOLDERS = ("configs/", "hf_llm/", "results/", "runs/", "scripts/")


@dataclass(frozen=True)
class Contents:
    """What a commit is to leave in a repository.

    Attributes:
        files: {path in the repository: content, or the file that has it}.
        kind: What they are together.
        name: What the commit says of it.
        sha256: {path: hash} of the files that are not held in memory and must still be what was looked at.
    """

    files: dict[str, bytes | Path]
    kind: Literal["model", "tokenizer", "space"]
    name: str
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def repo_type(self) -> str:
        return "space" if self.kind == "space" else "model"

    def replaces(self, path: str) -> bool:
        """Whether a file that is there goes when these come: one that a loader would take for theirs.

        Code may be of use to others and stays; so does whatever a push never brings.
        """
        if path in self.files:
            return False
        return path.startswith(SPACE_FOLDERS) if self.kind == "space" else kind_of(path) not in (None, "code")


@dataclass(frozen=True)
class Destination:
    """Where a commit goes.

    Attributes:
        repo_id: owner/name.
        private: Whether a repository that is made for it is.
        branch: A branch; one that is not there starts from main.
        create_pr: Propose it as a pull request to main instead.
        failure: How the message begins when it fails: "runs/verdict was not pushed to me/verdict".
        retry: The command to give again then.
        hardware: Of a Space that is made for it; None leaves it to the Hub.
    """

    repo_id: str
    private: bool
    branch: str
    create_pr: bool
    failure: str
    retry: str
    hardware: str | None = None


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


def commit_contents(contents: Contents, to: Destination) -> Pushed:
    """Make one commit of the contents; none where they are there already.

    Raises:
        UserError: When the Hub cannot be reached or refuses, or the branch has moved. No commit was made then.
    """
    require_token(to.failure)
    with hub_errors(to.failure, to.retry):
        api = connect()
        head = _head(api, contents, to)
        there = _files(api, contents, to, head)
        require(
            contents.kind != "tokenizer" or "config.json" not in there,
            f"{to.repo_id} holds a model; push the tokenizer to a repository of its own",
        )
        changes = _changes(there, contents)
        if not changes:
            return Pushed(head, f"{_page(api, contents, to)}/tree/{to.branch}", [])
        if to.create_pr and (proposed := _proposed(api, contents, to)):
            return proposed
        pushed = _commit(api, contents, to, head, changes)
        for path in _changes(_files(api, contents, to, pushed.commit), contents):
            raise UserError(
                f"the Hub holds another {path} in {pushed.url} than was sent; do not use that commit, "
                f"and send it again: {to.retry}"
            )
    return pushed


def _head(api: HfApi, contents: Contents, to: Destination) -> str:
    """Return the commit that the branch is at; makes the repository, and the branch, where they are not there."""
    repository = {"repo_id": to.repo_id, "repo_type": contents.repo_type}
    try:
        main = api.repo_info(**repository, timeout=FIRST_ANSWER)
        require(
            main.private or not to.private,
            f"{to.repo_id} is there already and public, which {written('private')} does not change; "
            "make it private on its page, or take another name",
        )
    except RepositoryNotFoundError:
        if to.create_pr:
            raise
        sdk = {"space_sdk": "gradio", "space_hardware": to.hardware} if contents.kind == "space" else {}
        api.create_repo(**repository, private=to.private or None, exist_ok=True, **sdk)
        main = api.repo_info(**repository, timeout=FIRST_ANSWER)
    if to.branch == constants.DEFAULT_REVISION:
        return main.sha
    try:
        return api.repo_info(**repository, revision=to.branch, timeout=FIRST_ANSWER).sha
    except RevisionNotFoundError:
        api.create_branch(**repository, branch=to.branch, revision=main.sha)
        return main.sha


def _page(api: HfApi, contents: Contents, to: Destination) -> str:
    return f"{api.endpoint}/{constants.REPO_TYPES_URL_PREFIXES.get(contents.repo_type, '')}{to.repo_id}"


def _proposed(api: HfApi, contents: Contents, to: Destination) -> Pushed | None:
    """Return the pull request that holds the contents already; None without one."""
    refs = api.list_repo_refs(to.repo_id, repo_type=contents.repo_type, include_pull_requests=True).pull_requests
    commits = {int(ref.ref.rsplit("/", 1)[1]): ref.target_commit for ref in refs}
    for number in sorted(commits, reverse=True)[:LATEST_PROPOSALS]:
        if not _changes(_files(api, contents, to, commits[number]), contents):
            return Pushed(commits[number], f"{_page(api, contents, to)}/discussions/{number}", [])
    return None


def _files(api: HfApi, contents: Contents, to: Destination, commit: str) -> dict[str, RemoteFile]:
    return files_at(api, to.repo_id, commit, contents.repo_type)


def _changes(there: dict[str, RemoteFile], contents: Contents) -> dict[str, bytes | Path | None]:
    """Return {path: new content, None where it goes} of what a commit must change."""
    changes = {
        path: content
        for path, content in contents.files.items()
        if path not in there or not there[path].is_same(content)
    }
    return changes | dict.fromkeys(filter(contents.replaces, there))


def _commit(api: HfApi, contents: Contents, to: Destination, head: str, changes: dict) -> Pushed:
    operations = [
        CommitOperationDelete(path) if content is None else CommitOperationAdd(path, content)
        for path, content in changes.items()
    ]
    for operation in operations:  # with the hash that the commit will name
        expected = contents.sha256.get(operation.path_in_repo)
        require(
            expected is None or operation.upload_info.sha256.hex() == expected,
            f"{to.failure}: {operation.path_in_repo} was changed meanwhile; when nothing writes there: {to.retry}",
        )
    try:
        made = api.create_commit(
            to.repo_id,
            operations,
            commit_message=contents.name,
            repo_type=contents.repo_type,
            revision=to.branch,
            parent_commit=head,
            create_pr=to.create_pr,
        )
    except HfHubHTTPError as error:
        if error.response.status_code != 412:
            raise
        raise UserError(
            f"{to.failure}: somebody else has changed {to.branch} there in the meantime, and that stays as it is; "
            f"look at it, and to go on top of it: {to.retry}"
        ) from None
    return Pushed(made.oid, made.pr_url or made.commit_url, sorted(changes))
