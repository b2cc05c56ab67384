"""From a folder to the Hub: a finished run, or a tokenizer alone, each file looked at before it leaves.

What is pushed is what a run's manifest lists, with the exports that are asked for, or the files of a tokenizer.
Checkpoints, logs, temporary files, whatever else lies in the folder stays where it is.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from huggingface_hub import ModelCard, ModelCardData, constants
from tokenizers import Tokenizer
from tokenizers.models import BPE

from hf_llm.config import UserError, one_line, quoted, require, written
from hf_llm.data.content import refuse_mark
from hf_llm.exports.config import Format
from hf_llm.exports.record import read_export
from hf_llm.hub.card_exports import name_exports
from hf_llm.hub.commit import Contents, Destination, Pushed, commit_contents
from hf_llm.hub.config import PushConfig
from hf_llm.hub.failures import without_token
from hf_llm.hub.safety import check_content, check_names, kind_of, refuse_secret, refuse_secrets
from hf_llm.models.foreign_code import named_code, require_own_code
from hf_llm.recipes.card import name_in_code
from hf_llm.runs.atomic import disk_errors, file_sha256, to_bytes, to_json, write_bytes
from hf_llm.runs.lock import hold
from hf_llm.runs.manifest import NAME, card_for_others, manifest_for_others, read_manifest, sha256_of_text
from hf_llm.texts import text
from hf_llm.tokenization.folder import TOKENIZER_FILES

CARD = "README.md"


def push(config: PushConfig) -> Pushed:
    """Put the folder's content on the Hub as one commit; none where it is there already.

    Raises:
        UserError: When the folder is not to be pushed or in use, the Hub cannot be reached or refuses, or the branch
            has moved; no commit was made then. Also when the folder's card cannot be written after the commit.
    """
    folder = Path(config.run)
    with hold(folder) if (folder / NAME).is_file() else nullcontext():  # no training writes there meanwhile
        contents = contents_of(folder, config.repo_id, config.exports)
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
        _keep_names(folder, contents)
    return pushed


def push_after_training(output_dir: str, repo_id: str, private: bool) -> None:
    """Push what a script has just finished, for `--push_to_hub`; a Hub that is down takes nothing from the run.

    When it fails, a warning says why, with the command to try again. Of several processes the first one pushes.

    Args:
        output_dir: The run's folder.
        repo_id: owner/name on the Hub.
        private: Whether a repository that is made is.
    """
    from hf_llm.training.launch import is_first_process  # imports torch, which a push alone does not need

    if not is_first_process():
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


def contents_of(folder: Path, repo_id: str, exports: Sequence[Format] = ()) -> Contents:
    """Return what to push of `folder` to `repo_id`, and of its exports these.

    Raises:
        UserError: When it holds neither a finished run nor a tokenizer, a file was changed since, one is not what its
            name says, or something in the folder must not become public.
    """
    require(folder.is_dir(), f"there is no folder {folder}; name that of a run or a tokenizer")
    try:
        manifest = read_manifest(folder)
        contents = _tokenizer(folder, repo_id) if manifest is None else _run(folder, manifest, repo_id, exports)
        left_out = f"leave out {written('export')}"
        require(manifest is not None or not exports, f"{folder} holds no run, so it has no exports; {left_out}")
        for path, content in contents.files.items():
            in_memory = content if isinstance(content, bytes) else None  # what is sent, whatever the file becomes
            check_content(str(folder), folder, path, in_memory)
            if in_memory:
                refuse_secret(folder / path, in_memory)
        classes = named_code(folder, folder, contents.files)
        require_own_code(folder, classes)
        for name in classes:
            file = f"{name.split('.')[0]}.py"
            require(file in contents.files, f"{folder} lacks {file}, which its settings name; make the run again")
        refuse_secrets(folder)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder} cannot be read ({error.strerror or error}), so nothing was pushed"
        ) from None
    return contents


def run_files(folder: Path, manifest: dict) -> dict[str, bytes | Path]:
    """Return {path: content, of weights the file} of what a run published, by its manifest, each as the run wrote it.

    Raises:
        UserError: When the run has not finished, or a file but the card was changed since.
    """
    require("metrics" in manifest, f"the run in {folder} has not finished; give its command again, then push")
    require(
        all(isinstance(manifest.get(key), dict) for key in ("data", "files"))
        and isinstance(manifest["data"].get("name"), str)
        and all(isinstance(sha256, str) for sha256 in manifest["files"].values())
        and {"job", "seed"} <= manifest.keys(),
        f"{folder / NAME} is not the manifest of a run; make the run again",
    )
    recorded = {path: sha256 for path, sha256 in manifest["files"].items() if kind_of(path)}
    check_names(str(folder), list(recorded))
    for name in ("config.json", "model.safetensors", CARD):
        require(name in recorded, f"{folder / NAME} lists no {name}; make the run again")
    files = {}
    for path, sha256 in recorded.items():
        file = _plain_file(folder, path)
        files[path] = file if kind_of(path) == "weights" else file.read_bytes()
        is_now = file_sha256(file) if isinstance(files[path], Path) else hashlib.sha256(files[path]).hexdigest()
        require(
            path == CARD or is_now == sha256,  # a card may be added to
            f"{file} is not the file that the run wrote; make the run again, so that the model is what it says",
        )
    return files


def _run(folder: Path, manifest: dict, repo_id: str, exports: Sequence[Format]) -> Contents:
    files = run_files(folder, manifest)
    beside = {to: read_export(folder, to, manifest["files"]) for to in exports}
    refuse_mark(files[CARD], folder / CARD)  # the Hub would find no metadata behind one
    check_content(str(folder), folder, CARD, files[CARD])
    # in the card's code the model has its name on the Hub, in place of the folder's or an earlier name
    folder_then = Path(manifest["config"]["output_dir"])
    card = files[CARD].decode("utf-8")
    for before in (manifest.get("hub"), folder_then.as_posix(), name_in_code(folder_then)):
        card = card.replace(f'"{before}"', f'"{repo_id}"') if before else card
    card = name_exports(card, {to: export.record for to, export in beside.items()}, repo_id)
    card = card_for_others(card, manifest)
    manifest = manifest_for_others(manifest)
    manifest["hub"] = repo_id
    manifest["files"][CARD] = sha256_of_text(card)
    sha256 = {path: manifest["files"][path] for path, content in files.items() if isinstance(content, Path)}
    files |= {CARD: card.encode(), NAME: to_bytes(to_json(manifest))}
    for export in beside.values():
        files |= export.files
        sha256 |= export.sha256
    name = f"{manifest['job']} on {manifest['data']['name']}, seed {manifest['seed']}"
    return Contents(files, "model", name, sha256)


def _keep_names(folder: Path, contents: Contents) -> None:
    """Write a run's card as it was pushed, and its hash and the name on the Hub into the manifest.

    The rest of the manifest here says more than the one there: where the run's files lie on this machine.

    Raises:
        UserError: When the disk is full or not writable.
    """
    if contents.kind == "model":
        manifest, pushed = read_manifest(folder), json.loads(contents.files[NAME])
        here = {**manifest, "hub": pushed["hub"], "files": pushed["files"]}
        # the manifest, which has the card's hash, comes last
        for name, content in {CARD: contents.files[CARD], NAME: to_bytes(to_json(here))}.items():
            if (folder / name).read_bytes() != content:
                with disk_errors(str(folder / name)):
                    write_bytes(folder / name, content)


def _tokenizer(folder: Path, repo_id: str) -> Contents:
    names = [name for name in TOKENIZER_FILES if (folder / name).is_file()]
    require(
        "tokenizer.json" in names,
        f"{folder} holds neither a run ({NAME}) nor a tokenizer (tokenizer.json); "
        "make one with hf-llm pretrain, hf-llm train_mnist or hf-llm train_tokenizer",
    )
    require(
        not (folder / "config.json").exists(),
        f"{folder} holds a model without a run's manifest ({NAME}), so nobody could make it again; push a run's folder",
    )
    files = {name: _plain_file(folder, name).read_bytes() for name in names}
    card = _tokenizer_card(folder / "tokenizer.json", files["tokenizer.json"], repo_id)
    return Contents({**files, CARD: card.encode()}, "tokenizer", f"Tokenizer {folder.name}")


def _tokenizer_card(file: Path, content: bytes, repo_id: str) -> str:
    """Return the README.md of a tokenizer, with metadata that the Hub understands."""
    try:
        tokenizer = Tokenizer.from_buffer(content)
    except Exception as error:  # the library has no other class
        raise UserError(f"{file} is no tokenizer ({quoted(error)}); train it again") from None
    require(isinstance(tokenizer.model, BPE), f"{file} is no BPE; only those are pushed alone")
    data = ModelCardData(license="apache-2.0", library_name="transformers", tags=["tokenizer", "bpe", "hf_llm"])
    values = {"name": repo_id.split("/")[1], "size": tokenizer.get_vocab_size(), "repo_id": repo_id}
    english, portuguese = (text("hub.tokenizer_card", language, **values) for language in ("en", "pt-BR"))
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{english}\n\n{portuguese}\n"))


def _plain_file(folder: Path, path: str) -> Path:
    """Return the file, which must lie in the folder itself and not be a link to somewhere else."""
    file = folder / path
    require(
        file.is_file() and not file.is_symlink() and file.resolve().is_relative_to(folder.resolve()),
        f"{file} is missing, or a link to elsewhere; make the run again",
    )
    return file
