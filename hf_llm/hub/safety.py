"""What may travel to and from the Hub: files of the kinds that a model needs, each what its name says, and no secret.

A model needs its settings, safetensors, its tokenizer, and brings a card, its manifest and figures; exports for other
programs go up beside it, and are left there by a pull. Pickles, notebooks, adapters that name another repository,
start-up files of Python are not refused one by one: they are not on the list.
What is looked at is bounded by the size of its kind, so that looking is cheap, too.
"""

import errno
import re
from dataclasses import dataclass
from mmap import ACCESS_COPY, ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

import yaml
from huggingface_hub.constants import SAFETENSORS_MAX_HEADER_LENGTH
from huggingface_hub.repocard import REGEX_YAML_BLOCK
from safetensors import SafetensorError, safe_open

from hf_llm.config import UserError, quoted, require
from hf_llm.data.content import refuse_pointer
from hf_llm.exports.record import is_of_an_export
from hf_llm.hub.failures import own_token
from hf_llm.models.foreign_code import SETTINGS, WEIGHTS, read_settings

MEGABYTE = 2**20
LONGEST_METADATA = MEGABYTE  # of a card; the longest on the Hub list hundreds of results in a third of that
MOST_EVENTS, DEEPEST = 100_000, 32
PNG = b"\x89PNG\r\n\x1a\n"
# names that Windows gives to devices, with whatever ending
DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """A kind of file: which names it has, and how many bytes at most; 0 leaves that to the total."""

    name: str
    pattern: re.Pattern
    limit: int = 0


KINDS = (
    Kind("weights", WEIGHTS),
    Kind("settings", SETTINGS, 8 * MEGABYTE),
    Kind("vocabulary", re.compile(r"tokenizer\.json|vocab\.json|vocab\.txt|merges\.txt"), 100 * MEGABYTE),
    Kind("card", re.compile(r"README\.md"), 2 * MEGABYTE),
    Kind("figure", re.compile(r"figures/\w[\w.-]*\.png", re.ASCII), 20 * MEGABYTE),
    Kind("code", re.compile(r"[A-Za-z_]\w*\.py", re.ASCII), MEGABYTE),
)
EXPORT = "export"  # a file for another program; its folder's record says what it is

# where a word may begin: in JSON a line break is the two characters \\n, so that the n stands before the word
BEGINS = rb"(?:\b|\\[bfnrt]|%[0-9A-Fa-f]{2})"
SECRETS = {
    "a token of the Hub": rb"(?:hf|api_org)_(?:[A-Za-z0-9]{30}|(?:oauth|jwt)_[\w.-]{30})",
    "a token of GitHub": rb"gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50}",
    "a key of AWS": BEGINS + rb"(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a key of an AI service": BEGINS + rb"sk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b",
    "a token of Slack": rb"xox[abprs]-[A-Za-z0-9-]{20}",
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----",
}
OPENVINO_WEIGHTS = "openvino_model.bin"  # has torch's ending, but numbers alone: its content is looked at like any
PICKLES = (".bin", ".ckpt", ".dill", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
# alone, or as torch.save zips it
PICKLE_START = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04.{0,60}?/data\.pkl", re.DOTALL)


def kind_of(path: str) -> str | None:
    """Return the kind of a file in a repository; None for one that does not travel."""
    if is_of_an_export(path):
        return EXPORT
    kind = _kind(path)
    return kind.name if kind and not DEVICES.fullmatch(path.split("/")[-1]) else None


def _kind(path: str) -> Kind | None:
    return next((kind for kind in KINDS if kind.pattern.fullmatch(path)), None)


def check_names(where: str, paths: list[str]) -> None:
    """Refuse a repository one of whose names would lead out of its folder, or is made to deceive.

    Raises:
        UserError: Names the first such path.
    """
    for path in paths:
        parts = path.split("/")
        require(
            path.isprintable()
            and not re.search(r"\\|^[A-Za-z]:", path)
            and not any(part in ("", ".", "..") or part.lower() == ".git" for part in parts),
            f"{where} holds a file of the name {path!r}, which no honest repository does",
        )
    wanted = [path for path in paths if kind_of(path)]
    twice = {path.lower(): path for path in wanted}
    for path in wanted:
        require(
            twice[path.lower()] == path,
            f"{where} holds {path} and {twice[path.lower()]}, which are one file to some systems",
        )


def check_size(where: str, path: str, size: int) -> None:
    """Refuse a file that is larger than its kind ever is.

    Raises:
        UserError: States how large it is and may be.
    """
    limit = _kind(path).limit
    require(
        size >= 0 and (not limit or size <= limit),
        f"{where} holds a {path} of {size:,} bytes; {limit:,} is the most that such a file needs",
    )


def check_content(where: str, folder: Path, path: str, content: bytes | None = None) -> None:
    """Refuse a file that is not what its name says, or is made to use up the memory of who reads it.

    Args:
        where: The repository or folder, for the message.
        folder: Where the file lies.
        path: Its path in the folder and in the repository.
        content: What it held when it was read; None reads it. Weights are always looked at where they are.

    Raises:
        UserError: Names the file and what is wrong with it.
    """
    file, kind = folder / path, kind_of(path)
    if content is None and kind in ("settings", "card", "figure"):
        content = file.read_bytes()
    if kind == "settings":
        read_settings(where, path, content)
        return
    if kind == "weights":
        refuse_pointer(file, called=f"{where}/{path}")
    try:
        if kind == "weights":
            _check_weights(file)
        elif kind == "card":
            _check_card(content)
        elif kind == "figure":
            require(content.startswith(PNG), "is not a PNG picture")
    except UserError as error:
        raise UserError(f"{where}: {file.name} {error}") from None


def _check_weights(path: Path) -> None:
    """Refuse what is not safetensors (a pickle under that name, say), or has a header of unreasonable length."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
    require(
        8 + length <= size,
        f"is not safetensors: it announces a header of {length:,} bytes, but the file has {size:,}",
    )
    require(
        length <= SAFETENSORS_MAX_HEADER_LENGTH,
        f"has a header of {length:,} bytes; {SAFETENSORS_MAX_HEADER_LENGTH:,} are enough for any model",
    )
    try:
        with safe_open(path, "numpy"):  # reads the header alone, and holds it against the file's size
            pass
    except (SafetensorError, OSError) as error:
        raise UserError(f"is not safetensors ({quoted(error)})") from None


def _check_card(content: bytes) -> None:
    """Refuse metadata that grows when it is read: YAML's aliases, which no card needs, and deep nesting."""
    try:
        text = content.decode("utf-8-sig")  # with a byte-order mark it is a card as well
    except UnicodeDecodeError:
        raise UserError("is not UTF-8") from None
    block = REGEX_YAML_BLOCK.search(text)  # where the Hub's own reader of cards finds the metadata
    if block is None:
        return
    metadata = block.group(2)
    require(len(metadata) <= LONGEST_METADATA, f"has metadata of {len(metadata):,} characters, more than any card")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for number, event in enumerate(yaml.parse(metadata, Loader=loader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            require(not isinstance(event, yaml.AliasEvent), "has metadata with YAML aliases, which can grow endlessly")
            require(number < MOST_EVENTS and depth <= DEEPEST, "has metadata that is too long or nested too deeply")
    except yaml.YAMLError as error:
        raise UserError(f"has metadata that is not YAML ({' '.join(str(error).split())[:100]})") from None


def refuse_secrets(folder: Path) -> None:
    """Refuse a folder that holds something like a secret or a pickle, whether or not that file would be pushed.

    Tensors are not searched, their names and metadata are.

    Raises:
        UserError: Names the file, never the secret.
    """
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size):
        with open(path, "rb") as file, _mapped(file, _searched(file, path)) as content:
            refuse_secret(path, content)


def refuse_secret(path: Path, content: bytes | mmap) -> None:
    """Refuse a file's content that is a pickle or holds something like a secret; errors as above."""
    require(
        (path.suffix.lower() not in PICKLES or path.name == OPENVINO_WEIGHTS) and not PICKLE_START.match(content),
        f"{path} looks like a pickle, which can run code when it is loaded; nothing was pushed: "
        "take it out of the folder",
    )
    own = re.escape((own_token() or "").encode("utf-8", "surrogateescape"))
    for what, pattern in (SECRETS | ({"your token of the Hub": own} if own else {})).items():
        require(
            re.search(pattern, content) is None,
            f"{path} holds something like {what}; nothing was pushed: take it out of the file",
        )


def _mapped(file: BinaryIO, length: int) -> mmap:
    try:
        return mmap(file.fileno(), length, access=ACCESS_READ)
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return mmap(file.fileno(), length, access=ACCESS_COPY)  # some FUSE disks have private maps alone


def _searched(file: BinaryIO, path: Path) -> int:
    """Return how many bytes of a file are searched: of safetensors the header, else all, which mmap calls 0."""
    if path.suffix != ".safetensors":
        return 0
    return min(8 + int.from_bytes(file.read(8), "little"), path.stat().st_size)
