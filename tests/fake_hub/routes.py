"""What the fake Hub answers: who asks, which repository, and what is in it."""

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

from fake_hub import uploads
from fake_hub.messages import Answer, Refused, Request
from fake_hub.repositories import Commit, File, Repository, lfs_pointer

if TYPE_CHECKING:
    from fake_hub.server import HubServer, Token

API = re.compile(r"/api/(model|dataset|space)s/([^/]+/[^/]+)(?:/(.*))?")
RESOLVE = re.compile(r"/(?:(dataset|space)s/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
LFS = re.compile(r"/(?:(dataset|space)s/)?([^/]+/[^/]+)\.git/info/lfs/(objects/batch|verify)")


def answer_hub(hub: "HubServer", method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    """Answer a request to the Hub.

    Raises:
        Refused: When the Hub says no.
    """
    url = urlsplit(target)
    request = Request(method, target, parse_qs(url.query), body, _user(hub, headers))
    if (method, url.path) in PLAIN:
        return PLAIN[method, url.path](hub, request)
    if match := LFS.fullmatch(url.path):
        repository = _visible(hub, request, match[1] or "model", match[2])
        return (uploads.lfs_batch if match[3] == "objects/batch" else uploads.lfs_verify)(hub, request, repository)
    if match := RESOLVE.fullmatch(url.path):
        repository = _visible(hub, request, match[1] or "model", match[2])
        return _resolve(hub, request, repository, unquote(match[3]), unquote(match[4]))
    if match := API.fullmatch(url.path):
        repository = _visible(hub, request, match[1], match[2])
        action, *rest = (match[3] or "").split("/")
        revision = unquote(rest[0]) if rest else "main"
        if (method, action) in ACTIONS:
            return ACTIONS[method, action](hub, request, repository, revision, *map(unquote, rest[1:]))
    raise Refused(404, "Sorry, we can't find the page you are looking for.")


def _user(hub: "HubServer", headers: dict[str, str]) -> "Token | None":
    sent = headers.get("authorization", headers.get("Authorization"))
    if sent is None:
        return None
    token = hub.tokens.get(sent.removeprefix("Bearer "))
    if token is None or not token.valid:
        raise Refused(401, "Invalid credentials in Authorization header")
    return token


def _visible(hub: "HubServer", request: Request, type: str, name: str) -> Repository:
    """Return a repository that the user may know of; the Hub does not tell a private one from none."""
    try:
        repository = hub.repository(name, type)
    except Refused:
        repository = None
    owner = request.user is not None and request.user.user == name.split("/")[0]
    if repository is None or (repository.private and not owner):
        raise Refused(404 if request.user else 401, "Repository not found", "RepoNotFound")
    return repository


def _validate_yaml(hub: "HubServer", request: Request) -> Answer:
    """Look whether there is metadata at all, as a warning of the Hub does; what is in it, tests of the cards check."""
    has_metadata = re.match(r"---\r?\n.*?\n---\s", request.json()["content"], re.DOTALL)
    warnings = [] if has_metadata else [{"message": "empty or missing yaml metadata in repo card"}]
    return Answer.of_json({"errors": [], "warnings": warnings})


def _whoami(hub: "HubServer", request: Request) -> Answer:
    if request.user is None:
        raise Refused(401, "Invalid username or password.")
    return Answer.of_json({"name": request.user.user, "type": "user", "orgs": [], "auth": {}})


def _info(hub: "HubServer", request: Request, repository: Repository, revision: str) -> Answer:
    commit = repository.commit_of(revision)
    return Answer.of_json(
        {
            "id": repository.id,
            "sha": commit.id,
            "private": repository.private,
            "tags": [],
            "sdk": repository.sdk,
            "siblings": [
                {"rfilename": path, "size": file.size, "blobId": file.blob_id}
                | ({"lfs": {"sha256": file.sha256, "size": file.size, "pointerSize": 0}} if file.sha256 else {})
                for path, file in commit.files.items()
            ],
        }
    )


def _tree(hub: "HubServer", request: Request, repository: Repository, revision: str, *folder: str) -> Answer:
    below = "/".join([*folder, ""]) if folder else ""
    recursive = request.query.get("recursive", ["false"])[0].lower() == "true"
    entries = [
        entry
        for entry in _entries(hub, repository.commit_of(revision))
        if entry["path"].startswith(below) and (recursive or "/" not in entry["path"].removeprefix(below))
    ]
    if folder and not entries:
        raise Refused(404, f"{below} does not exist on {revision}", "EntryNotFound")
    start = int(request.query.get("cursor", ["0"])[0])
    if hub.endless_listings:
        entries = (entries * hub.page_size)[: hub.page_size] * (start // hub.page_size + 2)
    answer = Answer.of_json(entries[start : start + hub.page_size])
    if start + hub.page_size < len(entries):
        path = urlsplit(request.url).path
        query = f"recursive={recursive}&cursor={start + hub.page_size}"
        answer.headers["Link"] = f'<{hub.url}{path}?{query}>; rel="next"'
    return answer


def _paths_info(hub: "HubServer", request: Request, repository: Repository, revision: str) -> Answer:
    wanted = parse_qs(request.body.decode()).get("paths", [])
    entries = _entries(hub, repository.commit_of(revision))
    return Answer.of_json([entry for entry in entries if entry["path"] in wanted])


def _entries(hub: "HubServer", commit: Commit) -> list[dict]:
    """Return a commit's files and folders as the Hub lists them."""
    folders = {path[:at] for path in commit.files for at, sign in enumerate(path) if sign == "/" and at}
    return [
        *({"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0}
          for path in sorted(folders)),
        *({"type": "file", "path": path, "size": file.size, "oid": file.blob_id, **_large(hub, file)}
          for path, file in commit.files.items()),
    ]  # fmt: skip


def _large(hub: "HubServer", file: File) -> dict:
    if file.sha256 is None:
        return {}
    lfs = {"oid": file.sha256, "size": file.size, "pointerSize": len(lfs_pointer(file.sha256, file.size))}
    xet = {"xetHash": hub.xet.hashes[file.sha256]} if file.sha256 in hub.xet.hashes else {}
    return {"lfs": lfs, **xet}


def _refs(hub: "HubServer", request: Request, repository: Repository, *_) -> Answer:
    def refs(names: dict[str, str], kind: str) -> list[dict]:
        return [
            {"name": name, "ref": name if name.startswith("refs/") else f"refs/{kind}/{name}", "targetCommit": commit}
            for name, commit in names.items()
        ]

    pull_requests = {name: commit for name, commit in repository.branches.items() if name.startswith("refs/pr/")}
    branches = {name: commit for name, commit in repository.branches.items() if name not in pull_requests}
    return Answer.of_json(
        {
            "branches": refs(branches, "heads"),
            "tags": refs(repository.tags, "tags"),
            "converts": [],
            **({"pullRequests": refs(pull_requests, "pr")} if "include_prs" in request.query else {}),
        }
    )


def _commits(hub: "HubServer", request: Request, repository: Repository, revision: str) -> Answer:
    commit, history = repository.commit_of(revision), []
    while commit:
        entry = {"id": commit.id, "title": commit.title, "message": "", "authors": [{"user": "me"}]}
        history.append({**entry, "date": "2026-01-01T00:00:00.000Z"})
        commit = repository.commits.get(commit.parent)
    return Answer.of_json(history)


def _resolve(hub: "HubServer", request: Request, repository: Repository, revision: str, path: str) -> Answer:
    commit = repository.commit_of(revision)
    if path not in commit.files:
        answer = Answer.of_json({"error": "Entry not found"}, 404)
        answer.headers |= {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit.id}
        return answer
    file = commit.files[path]
    headers = {"X-Repo-Commit": commit.id}
    if file.sha256 is None:
        content = hub.content(file)
        return Answer(200, content, {**headers, "ETag": f'"{file.blob_id}"'})
    headers |= {
        "ETag": f'"{file.blob_id}"',
        "X-Linked-Etag": f'"{file.sha256}"',
        "X-Linked-Size": str(file.size),
        "Location": f"{hub.storage_url}/objects/{file.sha256}",
    }
    if file.sha256 in hub.xet.hashes:
        type = repository.type
        refresh = f"{hub.url}/api/{type}s/{quote(repository.id)}/xet-read-token/{commit.id}"
        headers |= {"X-Xet-Hash": hub.xet.hashes[file.sha256], "Link": f'<{refresh}>; rel="xet-auth"'}
    return Answer(302, b"", headers)


PLAIN = {
    ("POST", "/api/repos/create"): uploads.create,
    ("POST", "/api/validate-yaml"): _validate_yaml,
    ("GET", "/api/whoami-v2"): _whoami,
}
ACTIONS = {
    ("GET", ""): _info,
    ("GET", "revision"): _info,
    ("GET", "tree"): _tree,
    ("POST", "paths-info"): _paths_info,
    ("GET", "refs"): _refs,
    ("GET", "commits"): _commits,
    ("POST", "branch"): uploads.branch,
    ("POST", "discussions"): uploads.discussion,
    ("GET", "discussions"): uploads.discussion,
    ("POST", "preupload"): uploads.preupload,
    ("POST", "commit"): uploads.commit,
    ("GET", "xet-read-token"): uploads.xet_token,
    ("GET", "xet-write-token"): uploads.xet_token,
}
