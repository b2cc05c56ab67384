"""Which files of a folder are pushed, each looked at: those that a run's manifest lists, or a tokenizer's.

Checkpoints, logs, temporary files, whatever else lies there stays where it is.
"""

import hashlib
from pathlib import Path

from hf_llm.config import UserError, require
from hf_llm.hub.code import own_code
from hf_llm.hub.commit import Contents
from hf_llm.hub.contents import check_content
from hf_llm.hub.names import check_names, kind_of
from hf_llm.hub.secrets import refuse_secret, refuse_secrets
from hf_llm.hub.tokenizer_card import tokenizer_card
from hf_llm.runs.atomic import disk_errors, file_sha256, to_json, write_bytes
from hf_llm.runs.manifest import NAME, read_manifest, sha256_of_text
from hf_llm.tokenization.folder import TOKENIZER_FILES

CARD = "README.md"


def contents_of(folder: Path, repo_id: str) -> Contents:
    """Return what to push of `folder` to `repo_id`.

    Raises:
        UserError: When it holds neither a finished run nor a tokenizer, a file was changed since, one is not what its
            name says, or something in the folder must not become public.
    """
    require(folder.is_dir(), f"there is no folder {folder}; name that of a run or a tokenizer")
    try:
        manifest = read_manifest(folder)
        contents = _tokenizer(folder, repo_id) if manifest is None else _run(folder, manifest, repo_id)
        for path, content in contents.files.items():
            in_memory = content if isinstance(content, bytes) else None  # what is sent, whatever the file becomes
            check_content(str(folder), kind_of(path), folder / path, in_memory)
            if in_memory:
                refuse_secret(folder / path, in_memory)
        for name in own_code(str(folder), folder, contents.files):
            file = f"{name.split('.')[0]}.py"
            require(file in contents.files, f"{folder} lacks {file}, which its settings name; make the run again")
        refuse_secrets(folder)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder} cannot be read ({error.strerror or error}), so nothing was pushed"
        ) from None
    return contents


def keep_names(folder: Path, contents: Contents) -> None:
    """Write a run's card and manifest as they were pushed, so that the folder here is the one there.

    Raises:
        UserError: When the disk is full or not writable.
    """
    if contents.kind == "model":
        for name in (CARD, NAME):  # the manifest, which has the card's hash, comes last
            if (folder / name).read_bytes() != contents.files[name]:
                with disk_errors(str(folder / name)):
                    write_bytes(folder / name, contents.files[name])


def _tokenizer(folder: Path, repo_id: str) -> Contents:
    names = [name for name in TOKENIZER_FILES if (folder / name).is_file()]
    require(
        "tokenizer.json" in names,
        f"{folder} holds neither a run ({NAME}) nor a tokenizer (tokenizer.json); "
        "make one with scripts/pretrain.py, scripts/train_mnist.py or scripts/train_tokenizer.py",
    )
    require(
        not (folder / "config.json").exists(),
        f"{folder} holds a model without a run's manifest ({NAME}), so nobody could make it again; push a run's folder",
    )
    files = {name: _plain_file(folder, name).read_bytes() for name in names}
    card = tokenizer_card(folder, files["tokenizer.json"], repo_id)
    return Contents({**files, CARD: card.encode()}, "tokenizer", f"Tokenizer {folder.name}")


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


def _run(folder: Path, manifest: dict, repo_id: str) -> Contents:
    files = run_files(folder, manifest)
    check_content(str(folder), "card", folder / CARD, files[CARD])
    card = _named(files[CARD].decode("utf-8"), manifest, repo_id)
    manifest["files"][CARD] = sha256_of_text(card)
    return Contents(
        {**files, CARD: card.encode(), NAME: to_json(manifest).encode()},
        "model",
        f"{manifest['job']} on {manifest['data']['name']}, seed {manifest['seed']}",
        {path: manifest["files"][path] for path, content in files.items() if isinstance(content, Path)},
    )


def _named(card: str, manifest: dict, repo_id: str) -> str:
    """Return the card with the model's name on the Hub in its code, in place of the folder's or an earlier name.

    Enters the name into the manifest, where the next push finds it.
    """
    before = manifest.get("hub") or Path(manifest["config"]["output_dir"]).as_posix()
    manifest["hub"] = repo_id
    return card.replace(f'"{before}"', f'"{repo_id}"')


def _plain_file(folder: Path, path: str) -> Path:
    """Return the file, which must lie in the folder itself and not be a link to somewhere else."""
    file = folder / path
    require(
        file.is_file() and not file.is_symlink() and file.resolve().is_relative_to(folder.resolve()),
        f"{file} is missing, or a link to elsewhere; make the run again",
    )
    return file
