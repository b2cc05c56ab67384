"""What a pull brings, what it leaves on the Hub, and that a damaged file never gets a place."""

import dataclasses
import json
import re
import shutil

import pytest
from fake_hub.repositories import File
from hostile_case import settings
from test_push import CODE, RUN, refused, succeeded

from hf_llm.hub.safety import LONGEST_METADATA
from hf_llm.recipes.verify import verify
from hf_llm.runs.manifest import manifest_for_others, read_manifest

# hub.py with a client that puts each file elsewhere, and a link or a folder in its place
OTHER_CLIENT = """
import runpy, sys
from pathlib import Path
import huggingface_hub

download, kind = huggingface_hub.hf_hub_download, sys.argv.pop(1)

def download_elsewhere(*words, **named):
    path = Path(download(*words, **named))
    elsewhere = path.rename(path.with_name(f"{path.name}.elsewhere"))
    path.symlink_to(elsewhere) if kind == "link" else path.mkdir()

huggingface_hub.hf_hub_download = download_elsewhere
runpy.run_path("scripts/hub.py", run_name="__main__")
"""


@pytest.fixture
def verdict(hub, runs):
    """The repository me/verdict, seeded with the run's files by hand, as large and regular ones."""
    return hub.create("me/verdict", read(runs / "verdict", RUN))


def read(folder, names) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names}


def files_below(folder) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def nothing_left(tmp_path) -> bool:
    """Whether the test's folder holds what it held before: the runs."""
    return [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_model_comes_down_as_it_went_up(hub, either_scripts, runs, tmp_path):
    succeeded(either_scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    said = succeeded(either_scripts("hub.py", "pull", "me/verdict", tmp_path / "new" / "pulled"))
    assert files_below(tmp_path / "new") == {f"pulled/{name}" for name in RUN}  # nothing beside it, nothing hidden
    for name in RUN - {"run.json"}:
        assert (tmp_path / "new/pulled" / name).read_bytes() == (runs / "verdict" / name).read_bytes()
    assert read_manifest(tmp_path / "new/pulled") == manifest_for_others(read_manifest(runs / "verdict"))
    assert hub.repository("me/verdict").branches["main"] in said
    assert f"{len(RUN)} files" in said
    assert hub.leaks == []


@pytest.mark.parametrize("name", ["verdict", "mlp"])
def test_what_came_down_can_be_made_again(hub, scripts, runs, tmp_path, name):
    succeeded(scripts("hub.py", "push", runs / name, f"me/{name}"))
    commit = hub.repository(f"me/{name}").branches["main"]
    succeeded(scripts("hub.py", "pull", f"me/{name}", tmp_path / "pulled", "--trust_remote_code", "--revision", commit))
    assert verify(tmp_path / "pulled").answer == "identical"
    (tmp_path / "pulled" / "figures" / "loss.png").unlink()
    assert verify(tmp_path / "pulled").reasons == ["figures/loss.png is missing"]


def test_a_tokenizer_comes_down(scripts, runs, tmp_path):
    succeeded(scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer"))
    succeeded(scripts("hub.py", "pull", "me/tokenizer", tmp_path / "pulled"))
    assert files_below(tmp_path / "pulled") == {"README.md", "tokenizer.json", "tokenizer_config.json"}


def test_code_comes_only_when_trusted_and_pinned(hub, scripts, runs, tmp_path):
    succeeded(scripts("hub.py", "push", runs / "mlp", "me/mlp"))
    commit = hub.repository("me/mlp").branches["main"]
    words = ("hub.py", "pull", "me/mlp", tmp_path / "pulled")
    said = refused(scripts(*words))
    assert "modeling_mlp.MLPForImageClassification" in said
    assert said.endswith(f"--trust_remote_code --revision {commit}")
    for revision in ([], ["--revision", "main"], ["--revision", commit[:12]]):
        assert "wants --revision with the commit" in refused(scripts(*words, "--trust_remote_code", *revision))
    assert nothing_left(tmp_path)
    succeeded(scripts(*words, "--trust_remote_code", "--revision", commit))
    assert files_below(tmp_path / "pulled") > CODE
    for name in CODE:
        assert (tmp_path / "pulled" / name).read_bytes() == (runs / "mlp" / name).read_bytes()


def test_a_plain_model_needs_no_trust_whatever_python_lies_there(verdict, hub, scripts, runs, tmp_path):
    verdict.write("main", {**verdict.files(), "json.py": File.regular(b"raise SystemExit")}, "code")
    said = succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert files_below(tmp_path / "pulled") == RUN
    assert "left on the Hub: .gitattributes, json.py" in said


def test_branch_tag_commit_and_pull_request(verdict, scripts, tmp_path):
    first = verdict.branches["main"]
    verdict.tags["v1"] = first
    verdict.write("main", {**verdict.files(), "README.md": File.regular(b"# second\n")}, "second")
    verdict.write("dev", {**verdict.files(), "README.md": File.regular(b"# third\n")}, "third")
    verdict.write("refs/pr/1", {**verdict.files(), "README.md": File.regular(b"# fourth\n")}, "fourth")
    cards = {}
    for number, revision in enumerate(("v1", first, "main", "dev", "refs/pr/1")):
        succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / str(number), "--revision", revision))
        cards[revision] = (tmp_path / str(number) / "README.md").read_bytes()[:8]
    assert cards[first] == cards["v1"] == b"---\nlang"
    assert [cards[name] for name in ("main", "dev", "refs/pr/1")] == [b"# second", b"# third\n", b"# fourth"]
    assert "no such branch, tag or commit" in refused(
        scripts("hub.py", "pull", "me/verdict", tmp_path / "none", "--revision", "none")
    )


def test_a_commit_is_that_commit_and_no_name_that_looks_like_it(verdict, hub, scripts, tmp_path):
    first = verdict.branches["main"]
    second = verdict.write("main", {**verdict.files(), "README.md": File.regular(b"# second\n")}, "second").id
    verdict.tags[first] = second
    said = refused(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled", "--revision", first))
    assert f"the Hub gave commit {second} of me/verdict for {first}" in said
    assert nothing_left(tmp_path)
    assert not any("/resolve/" in path for _, path, _ in hub.requests)


def test_what_the_hub_calls_a_commit_must_be_one(verdict, hub, scripts, tmp_path):
    """A name in its place could mean something else for each file."""
    verdict.commits["main"] = dataclasses.replace(verdict.commit_of("main"), id="main")
    verdict.branches["main"] = "main"
    assert "the Hub gave 'main' as a commit" in refused(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert nothing_left(tmp_path)
    assert not any("/tree/" in path or "/resolve/" in path for _, path, _ in hub.requests)


def test_all_comes_from_the_commit_that_the_name_meant_at_first(verdict, hub, scripts, tmp_path):
    """Somebody commits in the middle of the pull."""
    first = verdict.branches["main"]
    hub.fail("stale", "GET", "/resolve/.*config.json")
    assert first in succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert verdict.branches["main"] != first
    resolved = {path.split("/")[4] for _, path, _ in hub.requests if "/resolve/" in path}
    assert resolved == {first}


@pytest.mark.parametrize("name", sorted(RUN))
def test_a_byte_that_changed_on_the_way_leaves_nothing(verdict, hub, scripts, tmp_path, name):
    """Of the same size, so that a look at sizes finds nothing."""
    large = verdict.files()[name].sha256
    hub.fail("corrupt", "GET", f"/objects/{large}" if large else f"/resolve/.*/{name}$", at=100)
    said = refused(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert f"{name} came with another hash than its commit names" in said
    assert nothing_left(tmp_path)
    succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))


def test_a_hub_that_lies_about_a_size_or_hash_is_not_believed(verdict, hub, scripts, tmp_path):
    files = verdict.files()
    for path, lie in (
        ("config.json", {"size": files["config.json"].size + 1}),
        ("config.json", {"blob_id": "0" * 40}),
        ("model.safetensors", {"size": 7}),
    ):
        verdict.write("main", {**files, path: dataclasses.replace(files[path], **lie)}, "a lie")
        said = refused(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
        assert path in said or "Consistency check failed" in said
        assert nothing_left(tmp_path)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_the_client_leaves_must_be_a_file_of_its_own(verdict, scripts, tmp_path, kind):
    """A link to the right content, as older clients left into their cache, is right for as long as that stays."""
    (tmp_path / "runs" / "client.py").write_text(OTHER_CLIENT)
    said = refused(scripts(tmp_path / "runs" / "client.py", kind, "pull", "me/verdict", tmp_path / "pulled"))
    assert "came with another hash than its commit names" in said
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"kind": "drop", "method": "GET", "path": "/api/models/me/verdict$"}, "the connection to the Hub at"),
        ({"kind": "expire", "method": "GET", "path": "/tree/"}, "log in again"),
        ({"kind": "status", "method": "GET", "path": "/api/models/me/verdict$", "status": 500}, "a fault of its own"),
        ({"kind": "status", "method": "GET", "path": "/api/models/me/verdict$", "status": 429}, "asks to wait"),
        ({"kind": "truncate", "method": "GET", "path": "/objects/", "at": 999}, "Consistency check failed"),
        ({"kind": "status", "method": "GET", "path": "/resolve/.*run.json", "status": 404}, "status 404"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_what_fails_gets_a_sentence_and_leaves_nothing(verdict, hub, scripts, tmp_path, fault, sentence):
    hub.fail(**fault)
    said = refused(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert sentence in said
    assert said.endswith(f"hf-llm hub pull me/verdict {tmp_path / 'pulled'}")
    assert nothing_left(tmp_path)


def test_a_connection_that_breaks_is_taken_up_again(verdict, hub, scripts, tmp_path):
    hub.fail("drop", "GET", "/objects/", at=5000)
    succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    assert sum("/objects/" in path for _, path, _ in hub.requests) == 2


def test_what_is_there_already_is_not_touched(verdict, hub, scripts, runs, tmp_path):
    shutil.copytree(runs / "tokenizer", tmp_path / "full")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(runs)
    before = files_below(tmp_path)
    for name in ("full", "file", "link"):
        assert str(tmp_path / name) in refused(scripts("hub.py", "pull", "me/verdict", tmp_path / name))
    assert files_below(tmp_path) == before
    assert hub.requests == []
    (tmp_path / "empty").mkdir()
    succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "empty"))
    assert files_below(tmp_path / "empty") == RUN


def test_what_is_not_there_or_is_private(hub, scripts, tmp_path, runs):
    hub.create("somebody/secret", read(runs / "verdict", RUN), private=True)
    for name in ("me/none", "somebody/secret"):
        assert "no such repository" in refused(scripts("hub.py", "pull", name, tmp_path / "pulled"))
    hub.create("me/data", {"train.csv": b"a,b\n"})
    assert "neither a model (config.json) nor a tokenizer" in refused(
        scripts("hub.py", "pull", "me/data", tmp_path / "pulled")
    )


def test_a_public_model_needs_no_token(verdict, scripts, tmp_path):
    succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled", token=""))


def test_too_much_is_refused_before_anything_is_fetched(verdict, hub, scripts, tmp_path):
    said = refused(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled", "--max_gigabytes", "0.0001"))
    assert re.search(r"takes 0\.0 GB; .* --max_gigabytes 1", said)
    assert not any("/resolve/" in path for _, path, _ in hub.requests)


def test_weights_in_several_files_and_other_formats(hub, scripts, runs, tmp_path):
    files = read(runs / "verdict", RUN)
    weights = files.pop("model.safetensors")
    shards = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = b'{"weight_map": {"a": "%s", "b": "%s"}}' % tuple(name.encode() for name in shards)
    others = {"pytorch_model.bin": b"", "onnx/model.onnx": b"", "adapter_config.json": b"{}", "vocab.json": b"{}"}
    hub.create(
        "me/shards",
        files | others | {"model.safetensors.index.json": index} | dict.fromkeys(shards, weights),
    )
    said = succeeded(scripts("hub.py", "pull", "me/shards", tmp_path / "pulled"))
    wanted = RUN - {"model.safetensors"} | {*shards, "model.safetensors.index.json", "vocab.json"}
    assert files_below(tmp_path / "pulled") == wanted
    assert "left on the Hub: .gitattributes, adapter_config.json, onnx/model.onnx, pytorch_model.bin" in said


@pytest.mark.parametrize("name", ["vocab.json", "optimizer.pt", "model-00002-of-00002.safetensors"])
def test_an_index_names_weights_of_the_model_and_nothing_else(hub, scripts, runs, tmp_path, name):
    """What is no safetensors by its name is unpickled by a loader: that it lies there is not enough."""
    files = read(runs / "verdict", RUN)
    shard = "model-00001-of-00002.safetensors"
    files |= {shard: files.pop("model.safetensors"), "vocab.json": b"{}", "optimizer.pt": b""}
    index = json.dumps({"weight_map": {"a": shard, "b": name}}).encode()
    hub.create("me/shards", files | {"model.safetensors.index.json": index})
    said = refused(scripts("hub.py", "pull", "me/shards", tmp_path / "pulled"))
    assert f"looks for weights in '{name}', which is not one of the model's files" in said
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("value", ["gpt2--modeling_mlp.MLPModel", "me/mlp.MLPModel", "/tmp/modeling_mlp.MLPModel"])
def test_code_of_elsewhere_is_not_taken_even_when_trusted(hub, scripts, runs, tmp_path, value):
    """Another repository without an owner, and a folder, whether in the repository or outside of it."""
    files = read(runs / "mlp", CODE | {"README.md", "config.json", "model.safetensors"})
    commit = hub.create("me/mlp", settings(files, "config.json", auto_map={"AutoModel": value})).branches["main"]
    said = refused(
        scripts("hub.py", "pull", "me/mlp", tmp_path / "pulled", "--trust_remote_code", "--revision", commit)
    )
    assert "config.json names the code of another repository" in said
    assert value in said
    assert nothing_left(tmp_path)


def test_a_card_whose_metadata_is_longer_than_any_is_refused(verdict, scripts, tmp_path):
    """One long word, which is nothing that YAML would stumble over."""
    for length, taken in ((LONGEST_METADATA, True), (LONGEST_METADATA + 1, False)):
        card = f"---\na: {'x' * (length - 3)}\n---\n".encode()
        verdict.write("main", {**verdict.files(), "README.md": File.regular(card)}, "a long card")
        result = scripts("hub.py", "pull", "me/verdict", tmp_path / str(length))
        if taken:
            succeeded(result)
        else:
            assert f"README.md has metadata of {length:,} characters" in refused(result)


def test_file_modes_are_those_of_any_other_file(verdict, scripts, tmp_path):
    succeeded(scripts("hub.py", "pull", "me/verdict", tmp_path / "pulled"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    assert (tmp_path / "pulled").stat().st_mode == (tmp_path / "other").stat().st_mode
    for name in RUN:
        assert (tmp_path / "pulled" / name).stat().st_mode == (tmp_path / "other" / "file").stat().st_mode
