"""Which files a repository may give and take, by their names alone: what is not on this list does not travel.

A model needs its settings, safetensors, its tokenizer, and brings a card, its manifest and figures. Pickles, notebooks,
adapters that name another repository, start-up files of Python are not refused one by one: they are not on the list.
"""

import re
from dataclasses import dataclass

from hf_llm.config import require

MEGABYTE = 2**20
# names that Windows gives to devices, with whatever ending
DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """A kind of file: which names it has, and how many bytes at most; 0 leaves that to the total."""

    name: str
    pattern: re.Pattern
    limit: int = 0


KINDS = (
    Kind("weights", re.compile(r"model(?:-\d{5}-of-\d{5})?\.safetensors")),
    Kind(
        "settings",
        re.compile(
            r"(?:(?:generation_|preprocessor_|processor_|tokenizer_)?config|special_tokens_map|added_tokens"
            r"|model\.safetensors\.index|run)\.json"
        ),
        8 * MEGABYTE,
    ),
    Kind("vocabulary", re.compile(r"tokenizer\.json|vocab\.json|vocab\.txt|merges\.txt"), 100 * MEGABYTE),
    Kind("card", re.compile(r"README\.md"), 2 * MEGABYTE),
    Kind("figure", re.compile(r"figures/\w[\w.-]*\.png", re.ASCII), 20 * MEGABYTE),
    Kind("code", re.compile(r"[A-Za-z_]\w*\.py", re.ASCII), MEGABYTE),
)


def kind_of(path: str) -> str | None:
    """Return the kind of a file in a repository; None for one that does not travel."""
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
        UserError: Says how large it is and may be.
    """
    limit = _kind(path).limit
    require(
        size >= 0 and (not limit or size <= limit),
        f"{where} holds a {path} of {size:,} bytes; {limit:,} is the most that such a file needs",
    )
