"""The fake Hub against unmodified clients: what the other tests of this folder stand on."""

import hashlib

import numpy as np
import pytest
from fake_hub.messages import Refused
from fake_hub.storage import answer_storage
from safetensors.numpy import save_file

ROUND_TRIP = """
import json, sys
from huggingface_hub import HfApi, snapshot_download

api, (source, target) = HfApi(), sys.argv[1:]
print(api.create_repo("me/model", exist_ok=True), api.create_repo("me/model", exist_ok=True))
api.upload_folder(repo_id="me/model", folder_path=source)
again = api.upload_folder(repo_id="me/model", folder_path=source)
snapshot_download("me/model", local_dir=target)
verified = api.verify_repo_checksums("me/model", local_dir=target)
info = api.model_info("me/model", files_metadata=True)
print(json.dumps({
    "user": api.whoami()["name"],
    "commits": [commit.title for commit in api.list_repo_commits("me/model")],
    "head": [again.oid, info.sha],
    "sizes": {file.rfilename: file.size for file in info.siblings},
    "paths": [entry.path for entry in api.get_paths_info("me/model", ["config.json", "figures", "none"])],
    "mismatches": verified.mismatches + verified.missing_paths,
}))
"""
DOWNLOAD = """
import json, sys
from huggingface_hub import snapshot_download

print(json.dumps(snapshot_download("me/model", local_dir=sys.argv[1])))
"""
BRANCHES = """
import json
from huggingface_hub import HfApi, hf_hub_download

api = HfApi()
api.create_repo("me/space", repo_type="space", space_sdk="gradio", private=True)
api.create_branch("me/space", branch="dev", repo_type="space")
app = {"repo_id": "me/space", "repo_type": "space", "path_in_repo": "app.py"}
api.upload_file(path_or_fileobj=b"1", revision="dev", **app)
pull = api.create_pull_request("me/space", repo_type="space", title="one")
two = api.upload_file(path_or_fileobj=b"2", create_pr=True, **app)
refs = api.list_repo_refs("me/space", repo_type="space", include_pull_requests=True)
print(json.dumps({
    "dev": open(hf_hub_download("me/space", "app.py", repo_type="space", revision="dev")).read(),
    "pull request": open(hf_hub_download("me/space", "app.py", repo_type="space", revision="refs/pr/2")).read(),
    "refs": [ref.ref for ref in refs.branches + refs.pull_requests],
    "numbers": [pull.num, two.pr_num],
    "main": [file.path for file in api.list_repo_tree("me/space", repo_type="space")],
    "space": [api.space_info("me/space").sdk, api.space_info("me/space").private],
}))
"""
REFUSALS = """
import json
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

api, said = HfApi(), {}
def commit(parent=None):
    return api.create_commit("me/public", [CommitOperationAdd("a.txt", b"a")], commit_message="a", parent_commit=parent)
def attempt(name, function, *words, **settings):
    try:
        said[name] = bool(function(*words, **settings))
    except HfHubHTTPError as error:
        said[name] = [type(error).__name__, error.response.status_code]

attempt("who", api.whoami)
attempt("public", api.model_info, "me/public")
attempt("private", api.model_info, "me/private")
attempt("none", api.model_info, "me/none")
attempt("revision", api.model_info, "me/public", revision="none")
attempt("file", api.hf_hub_download, "me/public", "none.txt")
attempt("create", api.create_repo, "me/new")
attempt("elsewhere", api.create_repo, "somebody/new")
attempt("stale", commit, "0" * 40)
attempt("commit", commit)
print(json.dumps(said))
"""


@pytest.fixture
def folder(tmp_path):
    """A model's folder with a regular file, a small binary one, and weights of several chunks, some of them alike."""
    folder = tmp_path / "model"
    (folder / "figures").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    (folder / "config.json").write_text("{}")
    (folder / "figures" / "loss.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    weights = np.random.default_rng(0).normal(size=(300, 700)).astype(np.float32)
    weights[:150] = 0
    save_file({"weights": weights}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_what_goes_up_comes_down_byte_for_byte(hub, client, folder, tmp_path, xet):
    found = client(ROUND_TRIP, folder, tmp_path / "down", xet=xet)
    for path in ("README.md", "config.json", "figures/loss.png", "model.safetensors"):
        assert (tmp_path / "down" / path).read_bytes() == (folder / path).read_bytes()
        assert found["sizes"][path] == (folder / path).stat().st_size
    assert found["user"] == "me"
    assert found["commits"] == ["Upload folder using huggingface_hub", "initial commit"]  # the second upload made none
    assert found["head"][0] == found["head"][1] == hub.repository("me/model").branches["main"]
    assert sorted(found["paths"]) == ["config.json", "figures"]
    assert found["mismatches"] == []
    large = hub.repository("me/model").files()["model.safetensors"]
    assert (large.sha256 in hub.xet.hashes) == xet
    assert (large.sha256 in hub.objects) != xet
    assert hub.leaks == []


@pytest.mark.parametrize("way", [(True, False), (False, True)], ids=["xet to lfs", "lfs to xet"])
def test_either_way_up_can_be_read_the_other_way(client, folder, tmp_path, way):
    client(ROUND_TRIP, folder, tmp_path / "first", xet=way[0])
    client(DOWNLOAD, tmp_path / "second", xet=way[1])
    assert (tmp_path / "second/model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_spaces_branches_and_pull_requests(client, xet):
    found = client(BRANCHES, xet=xet)
    assert found["dev"] == "1"
    assert found["pull request"] == "2"
    assert sorted(found["refs"]) == ["refs/heads/dev", "refs/heads/main", "refs/pr/1", "refs/pr/2"]
    assert found["numbers"] == [1, 2]
    assert found["main"] == [".gitattributes"]
    assert found["space"] == ["gradio", True]


def test_tokens(hub, client):
    hub.create("me/public", {"a.txt": b""})
    hub.create("me/private", private=True)
    common = {
        "public": True,
        "none": ["RepositoryNotFoundError", 404],
        "revision": ["RevisionNotFoundError", 404],
        "file": ["RemoteEntryNotFoundError", 404],
        "elsewhere": ["HfHubHTTPError", 403],
    }
    writer = client(REFUSALS)
    assert common.items() <= writer.items()
    assert [writer[name] for name in ("who", "private", "create", "commit")] == [True] * 4
    assert writer["stale"] == ["HfHubHTTPError", 412]
    reader = client(REFUSALS, token=hub.reader_token)
    assert common.items() <= reader.items()
    assert [reader[name] for name in ("who", "private")] == [True] * 2
    assert reader["create"] == reader["commit"] == ["HfHubHTTPError", 403]
    hub.tokens[hub.token].valid = False
    assert client(REFUSALS)["public"] == ["HfHubHTTPError", 401]


def test_a_long_listing_comes_in_pages(hub, client):
    hub.create("me/many", {f"{number}.txt": b"" for number in range(10)})
    hub.page_size = 4
    code = "import json; from huggingface_hub import HfApi; print(json.dumps(len(HfApi().list_repo_files('me/many'))))"
    assert client(code) == 11
    assert sum(path.startswith("/api/models/me/many/tree") for _, path, _ in hub.requests) == 3


FETCH = """
import json, sys, urllib.error, urllib.request
from http.client import HTTPException
url = sys.argv[1]
try:
    with urllib.request.urlopen(url, timeout=float(sys.argv[2])) as answer:
        print(json.dumps(answer.read().decode()))
except urllib.error.HTTPError as error:
    print(json.dumps(error.code))
except (OSError, HTTPException) as error:
    print(json.dumps(type(error).__name__))
"""


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ({}, "a content"),
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "drop", "at": 3}, "IncompleteRead"),
        ({"kind": "truncate", "at": 3}, "a c"),
        ({"kind": "corrupt", "at": 2}, "a bontent"),
        ({"kind": "lose"}, "RemoteDisconnected"),
        ({"kind": "hang", "at": 5}, "TimeoutError"),
    ],
    ids=lambda value: value.get("kind", "none") if isinstance(value, dict) else "",
)
def test_faults_happen_once_and_where_they_should(hub, client, fault, found):
    hub.create("me/model", {"a.txt": b"a content"})
    if fault:
        hub.fail(method="GET", path=r"/a\.txt$", **fault)
    url = f"{hub.url}/me/model/resolve/main/a.txt"
    assert client(FETCH, url, 1) == found
    assert client(FETCH, url, 30) == "a content"


def test_the_storage_takes_nothing_under_a_wrong_hash(hub):
    name = hashlib.sha256(b"a").hexdigest()
    with pytest.raises(Refused):
        answer_storage(hub, "PUT", f"/objects/{name}", {}, b"b")
    header, unknown_xorb = bytes(48), bytes(32) + (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(56)
    with pytest.raises(Refused, match="not uploaded"):
        hub.xet.add_shard(header + unknown_xorb)
