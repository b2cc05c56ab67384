"""How content comes to the fake Hub: repositories, branches, pull requests, commits, and what goes before them."""

import base64
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fake_hub.messages import Answer, Refused, Request
from fake_hub.repositories import File, Repository, upload_mode

if TYPE_CHECKING:
    from fake_hub.server import HubServer


def create(hub: "HubServer", request: Request) -> Answer:
    wanted = request.json()
    request.require_write(wanted["organization"])
    type, name = wanted.get("type") or "model", f"{wanted['organization']}/{wanted['name']}"
    address = {"url": f"{hub.url}/{'' if type == 'model' else type + 's/'}{name}"}
    if (type, name) in hub.repositories:
        return Answer.of_json({"error": "You already created this repo", **address}, 409)
    private = wanted.get("visibility") == "private"
    hub.create(name, type=type, private=private, sdk=wanted.get("sdk"), hardware=wanted.get("hardware"))
    return Answer.of_json(address)


def branch(hub: "HubServer", request: Request, repository: Repository, name: str) -> Answer:
    request.require_write(repository.id.split("/")[0])
    if name in repository.branches:
        raise Refused(409, f"Reference already exists: {name}")
    repository.branches[name] = repository.commit_of(request.json().get("startingPoint", "main")).id
    return Answer.of_json({})


def discussion(hub: "HubServer", request: Request, repository: Repository, number: str = "") -> Answer:
    """Open an empty pull request against main, as `upload_folder` does, or tell about one."""
    if request.method == "POST":
        request.require_write(None)
        number = str(repository.open_pull_request(repository.branches["main"]))
        return Answer.of_json({"num": int(number)})
    repository.commit_of(f"refs/pr/{number}")
    return Answer.of_json(
        {
            "num": int(number), "title": "", "status": "open", "isPullRequest": True, "events": [],
            "createdAt": "2026-01-01T00:00:00.000Z", "repo": {"name": repository.id, "type": repository.type},
            "changes": {"base": "refs/heads/main"}, "filesWithConflicts": [],
        }
    )  # fmt: skip


def preupload(hub: "HubServer", request: Request, repository: Repository, revision: str) -> Answer:
    request.require_write(None if "create_pr" in request.query else repository.id.split("/")[0])
    there = repository.files(revision)
    return Answer.of_json(
        {
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": upload_mode(file["path"], file["size"], base64.b64decode(file["sample"])),
                    "shouldIgnore": False,
                    **({"oid": there[file["path"]].oid} if file["path"] in there else {}),
                }
                for file in request.json()["files"]
            ]
        }
    )


def commit(hub: "HubServer", request: Request, repository: Repository, revision: str) -> Answer:
    pull_request = "create_pr" in request.query
    request.require_write(None if pull_request else repository.id.split("/")[0])
    header, add, delete = {}, {}, []
    for line in request.body.splitlines():
        item = json.loads(line)
        value = item["value"]
        if item["key"] == "header":
            header = value
        elif item["key"] == "file":
            add[value["path"]] = File.regular(base64.b64decode(value["content"]))
        elif item["key"] == "lfsFile":
            add[value["path"]] = _uploaded(hub, value)
        else:
            delete.append(value["path"])
    commit, number = repository.change(
        revision, add, delete, header["summary"], header.get("parentCommit"), pull_request
    )
    page = f"{hub.url}/{'' if repository.type == 'model' else repository.type + 's/'}{repository.id}"
    answer = {"success": True, "commitOid": commit.id, "commitUrl": f"{page}/commit/{commit.id}"}
    if number:
        answer["pullRequestUrl"] = f"{page}/discussions/{number}"
    return Answer.of_json(answer)


def _uploaded(hub: "HubServer", value: dict) -> File:
    """Return a large file that a commit names, if its content has arrived."""
    sha256 = value["oid"]
    if sha256 not in hub.objects and sha256 not in hub.xet.hashes:
        raise Refused(400, f"LFS pointer pointed to a file that does not exist: {value['path']}")
    return File.large(sha256, len(hub.objects.get(sha256, b"")) or hub.xet.size(hub.xet.hashes[sha256]))


def lfs_batch(hub: "HubServer", request: Request, repository: Repository) -> Answer:
    request.require_write(None)
    verify = f"{hub.url}{urlsplit(request.url).path.removesuffix('objects/batch')}verify"
    objects = []
    for wanted in request.json()["objects"]:
        entry = {"oid": wanted["oid"], "size": wanted["size"]}
        if wanted["oid"] not in hub.objects and wanted["oid"] not in hub.xet.hashes:
            upload = f"{hub.storage_url}/objects/{wanted['oid']}"
            entry["actions"] = {"upload": {"href": upload}, "verify": {"href": verify}}
        objects.append(entry)
    return Answer.of_json({"transfer": "basic", "objects": objects})


def lfs_verify(hub: "HubServer", request: Request, repository: Repository) -> Answer:
    wanted = request.json()
    if len(hub.objects.get(wanted["oid"], b"")) != wanted["size"]:
        raise Refused(404, "The object was not uploaded.")
    return Answer.of_json({})


def xet_token(hub: "HubServer", request: Request, repository: Repository, revision: str) -> Answer:
    if "write" in request.url:
        request.require_write(None if "create_pr" in request.query else repository.id.split("/")[0])
    expires = int(time.time()) + 3600
    answer = Answer.of_json({"casUrl": hub.storage_url, "exp": expires, "accessToken": hub.xet_token})
    answer.headers["X-Xet-Cas-Url"] = hub.storage_url
    answer.headers["X-Xet-Access-Token"], answer.headers["X-Xet-Token-Expiration"] = hub.xet_token, str(expires)
    return answer
