"""Look through a folder for what must not become public: tokens, keys, and pickles, which run code when loaded."""

import re
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from hf_llm.config import require
from hf_llm.hub.failures import own_token

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
PICKLES = (".bin", ".ckpt", ".dill", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
# alone, or as torch.save zips it
PICKLE_START = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04.{0,60}?/data\.pkl", re.DOTALL)


def refuse_secrets(folder: Path) -> None:
    """Refuse a folder that holds something like a secret or a pickle, whether or not that file would be pushed.

    Tensors are not searched, their names and metadata are.

    Raises:
        UserError: Names the file, never the secret.
    """
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size):
        with open(path, "rb") as file, mmap(file.fileno(), _searched(file, path), access=ACCESS_READ) as content:
            refuse_secret(path, content)


def refuse_secret(path: Path, content: bytes | mmap) -> None:
    """Refuse a file's content that is a pickle or holds something like a secret; errors as above."""
    require(
        path.suffix.lower() not in PICKLES and not PICKLE_START.match(content),
        f"{path} looks like a pickle, which can run code when it is loaded; nothing was pushed: "
        "take it out of the folder",
    )
    own = re.escape((own_token() or "").encode("utf-8", "surrogateescape"))
    for what, pattern in (SECRETS | ({"your token of the Hub": own} if own else {})).items():
        require(
            re.search(pattern, content) is None,
            f"{path} holds something like {what}; nothing was pushed: take it out of the file",
        )


def _searched(file: BinaryIO, path: Path) -> int:
    """Return how many bytes of a file are searched: of safetensors the header, else all, which mmap calls 0."""
    if path.suffix != ".safetensors":
        return 0
    return min(8 + int.from_bytes(file.read(8), "little"), path.stat().st_size)
