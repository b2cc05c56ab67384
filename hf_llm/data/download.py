"""Fetch a known file, atomically: a reader of the folder meets the whole checked file or none."""

import gzip
import hashlib
import os
import sys
import urllib.request
import zlib
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from hf_llm.config import where_possible
from hf_llm.data.sources import SourceFile


class DownloadError(Exception):
    """The file could not be had; the message holds the reason of each address."""


def download(file: SourceFile, folder: Path) -> Path:
    """Fetch `file` from the first of its addresses that has it, and return its path below `folder`.

    Raises:
        DownloadError: When no address gave the expected content, `HF_HUB_OFFLINE` is set, or nothing can be written.
    """
    if not file.urls:
        raise DownloadError("it has no address to download from")
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise DownloadError("HF_HUB_OFFLINE is set")
    failures = []
    for url in file.urls:
        print(f"downloading {url}", file=sys.stderr)
        try:
            content = _fetch(url, file)
        except (OSError, HTTPException, EOFError, zlib.error, ValueError) as error:  # refused, cut off, or damaged
            failures.append(f"{url}: {getattr(error, 'reason', None) or error}")
            continue
        return _store(content, folder / file.path)
    raise DownloadError("; ".join(failures))


def _fetch(url: str, file: SourceFile) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as response:
        content = response.read()
    plain = gzip.decompress(content) if file.path.endswith(".gz") else content
    if hashlib.sha256(plain).hexdigest() != file.sha256:
        raise ValueError("other content than expected")
    return content


def _store(content: bytes, target: Path) -> Path:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            with where_possible("sync", temporary):
                os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise DownloadError(f"{target} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):  # it is there only when something went wrong, Ctrl-C included
            temporary.unlink()
    return target
