"""What a push sends, what it refuses to send, and what it leaves behind when it cannot."""

import hashlib
import json
import re
import subprocess

import numpy as np
import pytest
from safetensors.numpy import save

from hf_llm.runs.manifest import manifest_for_others, read_manifest

RUN = {"README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
       "tokenizer_config.json", "run.json", "figures/loss.png"}  # fmt: skip
CODE = {"configuration_image_classifier.py", "configuration_mlp.py", "image_processing_digits.py", "digit_form.py",
        "digit_ink.py", "digit_regions.py", "digit_sheet.py", "pipeline_digits.py",
        "modeling_image_classifier.py", "modeling_mlp.py"}  # fmt: skip


def contents(hub, name: str, revision: str = "main") -> dict[str, bytes]:
    """Return what a repository holds, without the Hub's own file."""
    files = hub.repository(name).files(revision)
    return {path: hub.content(file) for path, file in files.items() if path != ".gitattributes"}


def titles(hub, name: str, branch: str = "main") -> list[str]:
    repository, titles = hub.repository(name), []
    commit = repository.commit_of(branch)
    while commit:
        titles.append(commit.title)
        commit = repository.commits.get(commit.parent)
    return titles


def succeeded(result) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(result) -> str:
    """Return the one sentence that a script ended with."""
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert len(re.findall("^error: ", result.stderr, re.MULTILINE)) == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    return result.stderr.splitlines()[-1].removeprefix("error: ")


def test_a_run_goes_up_whole_in_one_commit(hub, either_scripts, runs):
    said = succeeded(either_scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    there = contents(hub, "me/verdict")
    assert there.keys() == RUN
    for path in RUN - {"run.json"}:
        assert there[path] == (runs / "verdict" / path).read_bytes()
    assert json.loads(there["run.json"]) == manifest_for_others(read_manifest(runs / "verdict"))
    for content in there.values():
        assert str(runs).encode() not in content  # where the run lies on this machine is nobody's business
    assert titles(hub, "me/verdict") == ["pretraining on sample, seed 0", "initial commit"]
    assert hub.repository("me/verdict").branches["main"] in said
    assert hub.leaks == []


def test_a_second_push_makes_no_commit(hub, either_scripts, runs):
    succeeded(either_scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    requests = len(hub.requests)
    assert "it was there already" in succeeded(either_scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert {method for method, _, _ in hub.requests[requests:]} == {"GET"}  # nothing was even sent


def test_only_what_changed_is_sent(hub, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    card = runs / "verdict" / "README.md"
    card.write_text(card.read_text(encoding="utf-8") + "\nA note of my own.\n", encoding="utf-8")
    requests = len(hub.requests)
    assert "2 files changed" in succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert not any("xet" in path for _, path, _ in hub.requests[requests:])  # no large file moved
    assert b"A note of my own." in contents(hub, "me/verdict")["README.md"]
    manifest = json.loads(contents(hub, "me/verdict")["run.json"])
    assert manifest["files"]["README.md"] == hashlib.sha256(card.read_bytes()).hexdigest()


def test_the_card_names_the_model_as_it_is_called_on_the_hub(hub, scripts, runs):
    for name in ("me/verdict", "me/other"):  # also when it has another name already
        succeeded(scripts("hub.py", "push", runs / "verdict", name))
        card = contents(hub, name)["README.md"].decode()
        assert f'pipeline("text-generation", model="{name}")' in card


@pytest.mark.parametrize("name", ["spam", "further"])
def test_a_fine_tuned_model_goes_up_whole(hub, scripts, runs, name):
    succeeded(scripts("hub.py", "push", runs / name, f"me/{name}"))
    there = contents(hub, f"me/{name}")
    assert there.keys() >= {"README.md", "config.json", "model.safetensors", "tokenizer.json", "run.json"}
    assert not any("adapter" in path for path in there)
    assert not any(str(runs).encode() in content for content in there.values())
    assert titles(hub, f"me/{name}")[0].startswith("finetuning on ")


def test_a_classifier_carries_its_code(hub, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "mlp", "me/mlp"))
    there = contents(hub, "me/mlp")
    assert there.keys() > CODE | {"preprocessor_config.json", "model.safetensors", "run.json", "README.md"}
    assert 'pipeline("image-classification", model="me/mlp", trust_remote_code=True)' in there["README.md"].decode()


def test_a_tokenizer_alone_gets_a_card(hub, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer"))
    there = contents(hub, "me/tokenizer")
    assert there.keys() == {"README.md", "tokenizer.json", "tokenizer_config.json"}
    assert "A tokenizer of 300 tokens" in there["README.md"].decode()
    assert 'from_pretrained("me/tokenizer")' in there["README.md"].decode()
    assert "it was there already" in succeeded(scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer"))


def test_a_tokenizer_does_not_replace_a_model(hub, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert "holds a model" in refused(scripts("hub.py", "push", runs / "tokenizer", "me/verdict"))
    assert contents(hub, "me/verdict").keys() == RUN


def test_a_model_that_replaces_another_leaves_nothing_of_it_but_code(hub, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "mlp", "me/model"))
    repository = hub.repository("me/model")
    files = repository.files()
    repository.write("main", {**files, "LICENSE": files["config.json"]}, "a licence")
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/model"))
    assert contents(hub, "me/model").keys() == RUN | CODE | {"LICENSE"}


def test_branches_and_private_repositories(hub, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict", "--private", "--revision", "dev"))
    assert hub.repository("me/verdict").private
    assert contents(hub, "me/verdict").keys() == set()
    assert contents(hub, "me/verdict", "dev").keys() == RUN
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/open"))
    assert "--private does not change" in refused(scripts("hub.py", "push", runs / "mlp", "me/open", "--private"))


def test_a_pull_request_changes_no_branch_and_is_opened_once(hub, scripts, runs):
    hub.create("somebody/model", {"README.md": b"old"})
    words = ("hub.py", "push", runs / "verdict", "somebody/model", "--create_pr")
    assert "somebody/model/discussions/1" in succeeded(scripts(*words))
    again = succeeded(scripts(*words))
    assert "somebody/model/discussions/1" in again
    assert "it was there already" in again
    assert contents(hub, "somebody/model") == {"README.md": b"old"}
    assert contents(hub, "somebody/model", "refs/pr/1").keys() == RUN
    assert "no such repository" in refused(scripts("hub.py", "push", runs / "mlp", "me/none", "--create_pr"))


def test_a_branch_that_moved_is_left_as_it_is(hub, scripts, runs):
    succeeded(scripts("hub.py", "push", runs / "mlp", "me/model"))
    hub.fail("stale", "POST", "/commit/")
    said = refused(scripts("hub.py", "push", runs / "verdict", "me/model"))
    assert "somebody else has changed main there" in said
    assert titles(hub, "me/model")[0] == "somebody else's commit"
    assert contents(hub, "me/model").keys() > CODE


def test_a_hub_that_is_down_gets_a_sentence_with_the_command_to_retry(hub, scripts, runs):
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    hub.fail("drop", "GET", "/api/")
    said = refused(scripts("hub.py", "push", runs / "verdict", "me/verdict", "--private"))
    assert said.startswith(
        f"{runs / 'verdict'} was not pushed to me/verdict: the connection to the Hub at {hub.url} broke"
    )
    assert said.endswith(f"hf-llm hub push {runs / 'verdict'} me/verdict --private")
    assert {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"kind": "expire", "method": "GET", "path": "/api/"}, "log in again with: hf auth login"),
        ({"kind": "forbid", "method": "POST", "path": "/preupload/"}, "take one with write permission"),
        ({"kind": "status", "method": "POST", "path": "/commit/", "status": 503}, "a fault of its own (status 503)"),
        ({"kind": "status", "method": "POST", "path": "/repos/create", "status": 429}, "asks to wait"),
        ({"kind": "drop", "method": "POST", "path": "/commit/", "at": 99}, "the connection to the Hub at"),
        ({"kind": "lose", "method": "POST", "path": "/commit/"}, "the connection to the Hub at"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_what_the_hub_refuses_gets_a_sentence_and_leaves_no_half_model(hub, scripts, runs, fault, sentence):
    hub.fail(**fault)
    assert sentence in refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    hub.restore_tokens()
    for name in [name for _, name in hub.repositories]:
        assert contents(hub, name).keys() in (set(), RUN)
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))  # the same command goes on from anywhere
    assert contents(hub, "me/verdict").keys() == RUN
    assert len(titles(hub, "me/verdict")) == 2


def test_what_the_hub_stored_wrongly_is_noticed_and_mended(hub, scripts, runs):
    hub.fail("corrupt", "POST", "/commit/", at=400)  # in the base64 of a regular file
    said = refused(scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer"))
    assert "than was sent" in said or "refused" in said
    succeeded(scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer"))
    for path in ("tokenizer.json", "tokenizer_config.json"):
        assert contents(hub, "me/tokenizer")[path] == (runs / "tokenizer" / path).read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("notes.txt", "login with hf_" + "a" * 34, "a token of the Hub"),
        (".env", "AWS=AKIA" + "A" * 16, "a key of AWS"),
        ("figures/key.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "a private key"),
        ("optimizer.pt", "not even one", "a pickle"),
        ("cache.dat", b"\x80\x04\x95K\x00.", "a pickle"),
        ("header.safetensors", save({"a": np.zeros(1)}, {"note": "hf_" + "a" * 34}), "a token of the Hub"),
        ("weights.dat", b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "a pickle"),
    ],
)
def test_a_folder_with_something_secret_or_a_pickle_is_refused(hub, scripts, runs, name, content, what):
    file = runs / "verdict" / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    said = refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert str(file) in said
    assert what in said
    assert "aaaa" not in said
    assert hub.requests == []


def test_the_token_in_use_is_found_wherever_it_stands(hub, scripts, runs):
    token = "not-of-the-usual-form"
    (runs / "verdict" / "log.jsonl").write_text(f'{{"note": "{token}"}}\n')
    said = refused(scripts("hub.py", "push", runs / "verdict", "me/verdict", token=token))
    assert "your token of the Hub" in said
    assert token not in said


def damage(runs, name, change):
    file = runs / "verdict" / name
    change(file)
    return file


def change_files(run, **sha256s):
    """Change what the manifest says of files; None takes one out of it."""
    manifest = json.loads((run / "run.json").read_text())
    files = manifest["files"] | sha256s
    manifest["files"] = {name: sha256 for name, sha256 in files.items() if sha256}
    (run / "run.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (
            "model.safetensors",
            lambda file: file.write_bytes(file.read_bytes()[:-1] + b"\1"),
            "not the file that",
        ),
        ("tokenizer.json", lambda file: file.unlink(), "missing"),
        ("run.json", lambda file: file.write_text('{"config": {}}'), "has not finished"),
        ("run.json", lambda file: file.unlink(), "a model without a run's manifest"),
    ],
)
def test_a_folder_that_is_not_what_the_run_wrote_is_refused(hub, scripts, runs, name, change, sentence):
    damage(runs, name, change)
    assert sentence in refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert hub.requests == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("model.safetensors", b"cbuiltins\nprint\n(S'hello'\ntR.", "model.safetensors is not safetensors"),
        ("figures/loss.png", b"GIF89a", "loss.png is not a PNG picture"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_whatever_the_manifest_says(
    hub, scripts, runs, name, content, sentence
):
    (runs / "verdict" / name).write_bytes(content)
    change_files(runs / "verdict", **{name: hashlib.sha256(content).hexdigest()})
    assert sentence in refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert hub.requests == []


def test_a_model_without_the_code_that_it_names_is_refused(hub, scripts, runs):
    change_files(runs / "mlp", **{"modeling_mlp.py": None})
    assert "lacks modeling_mlp.py, which its settings name" in refused(
        scripts("hub.py", "push", runs / "mlp", "me/mlp")
    )
    assert hub.requests == []


def test_a_card_behind_a_byte_order_mark_is_refused_here(hub, scripts, runs):
    """The Hub would find no metadata in it."""
    card = runs / "verdict" / "README.md"
    card.write_text(card.read_text(encoding="utf-8"), encoding="utf-8-sig")
    said = refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert "README.md begins with the byte-order mark of UTF-8" in said
    assert hub.requests == []


def test_a_card_that_the_hub_would_not_take_is_refused_here(hub, scripts, runs):
    card = runs / "verdict" / "README.md"
    for content, why in ((b"---\na: [\n---\n", "metadata that is not YAML"), (b"caf\xe9", "is not UTF-8")):
        card.write_bytes(content)
        assert f"README.md {why}" in refused(scripts("hub.py", "push", runs / "verdict", "me/verdict")).replace(
            "has ", ""
        )
    assert hub.requests == []


def test_a_run_folder_may_be_a_link_itself(hub, scripts, runs, tmp_path):
    (tmp_path / "elsewhere").symlink_to(runs / "verdict")
    succeeded(scripts("hub.py", "push", tmp_path / "elsewhere", "me/verdict"))
    assert contents(hub, "me/verdict").keys() == RUN


def test_a_link_in_the_folder_is_not_followed(hub, scripts, runs, tmp_path):
    card = runs / "verdict" / "README.md"
    card.rename(tmp_path / "elsewhere.md")
    card.symlink_to(tmp_path / "elsewhere.md")
    assert "a link to elsewhere" in refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))


def test_a_folder_in_the_folder_is_no_link_either(hub, scripts, runs, tmp_path):
    figures = runs / "verdict" / "figures"
    figures.rename(tmp_path / "elsewhere")
    figures.symlink_to(tmp_path / "elsewhere")
    said = refused(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert f"{figures / 'loss.png'} is missing, or a link to elsewhere" in said
    assert hub.requests == []


def test_a_manifest_from_a_stranger_cannot_name_files_outside(hub, scripts, runs, tmp_path):
    (tmp_path / "runs" / "figures").mkdir()
    (tmp_path / "runs" / "figures" / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\nmine")
    file = runs / "verdict" / "run.json"
    manifest = json.loads(file.read_text())
    for name in (
        "../figures/secret.png",
        "figures/../../figures/secret.png",
        str(tmp_path / "runs/figures/secret.png"),
    ):
        manifest["files"][name] = hashlib.sha256(b"\x89PNG\r\n\x1a\nmine").hexdigest()
    file.write_text(json.dumps(manifest))
    succeeded(scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    assert contents(hub, "me/verdict").keys() == RUN


def test_neither_a_run_nor_a_tokenizer(scripts, runs):
    assert "there is no folder" in refused(scripts("hub.py", "push", runs / "none", "me/x"))
    assert "neither a run (run.json) nor a tokenizer" in refused(scripts("hub.py", "push", runs, "me/x"))
    for name in ("verdict", "me/a/b", "me/..", "me/a b", "https://huggingface.co/me/x"):
        assert "must be owner/name" in refused(scripts("hub.py", "push", runs / "verdict", name))


def test_without_a_token_nothing_is_tried(hub, scripts, runs):
    assert "hf auth login" in refused(scripts("hub.py", "push", runs / "verdict", "me/verdict", token=""))
    assert hub.requests == []


def test_the_token_is_nowhere_but_where_it_was(hub, scripts, runs):
    """A Hub that repeats the token in its answers, pushes that fail and one that does not."""
    outputs, hub.repeats_tokens = [], True
    for fault in ("expire", "forbid", None):
        if fault:
            hub.fail(fault, "POST", "/repos/create")
        result = scripts("hub.py", "push", runs / "verdict", "me/verdict")
        outputs += [result.stdout, result.stderr]
        hub.restore_tokens()
    assert "hf_…" in "".join(outputs)
    assert hub.token not in "".join(outputs)
    found = subprocess.run(["grep", "-rl", hub.token, str(runs), str(scripts.home)], capture_output=True, text=True)
    assert found.stdout.split() == [str(scripts.home / "token")]
    assert all(hub.token.encode() not in content for content in contents(hub, "me/verdict").values())
