"""Look into the files of a model before anything loads them: each is of its kind, and none asks too much memory.

What is looked at is bounded by the size of its kind (names.py), so that looking is cheap, too.
"""

import json
from pathlib import Path

import yaml
from huggingface_hub.constants import SAFETENSORS_MAX_HEADER_LENGTH
from huggingface_hub.repocard import REGEX_YAML_BLOCK
from safetensors import SafetensorError, safe_open

from hf_llm.config import UserError, require
from hf_llm.hub.names import MEGABYTE

LONGEST_METADATA = MEGABYTE  # of a card; the longest on the Hub list hundreds of results in a third of that
MOST_EVENTS, DEEPEST = 100_000, 32
PNG = b"\x89PNG\r\n\x1a\n"


def check_content(where: str, kind: str, path: Path, content: bytes | None = None) -> None:
    """Refuse a file that is not what its name says, or is made to use up the memory of who reads it.

    Args:
        where: The repository or folder, for the sentence.
        kind: A kind of names.py.
        path: The file.
        content: What it held when it was read; None reads it. Weights are always looked at where they are.

    Raises:
        UserError: Names the file and what is wrong with it.
    """
    check = {"settings": read_settings, "card": _check_card, "figure": _check_png}.get(kind)
    try:
        if kind == "weights":
            _check_weights(path)
        elif check:
            check(path.read_bytes() if content is None else content)
    except UserError as error:
        raise UserError(f"{where}: {path.name} {error}") from None


def read_settings(content: bytes) -> dict:
    """Return the object of a JSON file's content.

    Raises:
        UserError: When it is none; the sentence lacks its subject, the file.
    """
    try:
        settings = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise UserError("is not JSON, or nested too deeply") from None
    require(isinstance(settings, dict), "does not hold a JSON object")
    return settings


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
        raise UserError(f"is not safetensors ({error})") from None


def _check_card(content: bytes) -> None:
    """Refuse metadata that grows when it is read: YAML's aliases, which no card needs, and deep nesting."""
    try:
        text = content.decode("utf-8")
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


def _check_png(content: bytes) -> None:
    require(content.startswith(PNG), "is not a PNG picture")
