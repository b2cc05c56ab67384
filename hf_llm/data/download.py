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

HUB = "hf://"  # hf://owner/name/path
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


class DownloadError(Exception):
    """The file could not be had; the message holds the reason of each address."""


def download(file: SourceFile, folder: Path) -> Path:
    """Fetch `file` from the first of its addresses that has it, and return its path below `folder`.

    Raises:
        DownloadError: When no address gave the expected content, `HF_HUB_OFFLINE` is set, or nothing can be written.
    """
    if not file.urls:
        raise DownloadError("it has no address to download from")
    offline = [name for name in OFFLINE if os.environ.get(name, "").lower() in ("1", "true", "yes", "on")]
    urls = [url for url in file.urls if not offline or url.startswith(HUB)]  # the Hub's client has a cache of its own
    if not urls:
        raise DownloadError(f"{offline[0]} is set")
    failures = []
    for url in urls:
        print(f"downloading {url}", file=sys.stderr)
        try:
            content = _checked(_from_hub(url) if url.startswith(HUB) else _from_web(url), file)
        except (OSError, HTTPException, EOFError, zlib.error, ValueError) as error:  # refused, cut off, or damaged
            failures.append(f"{url}: {getattr(error, 'reason', None) or error}")
            continue
        return _store(content, folder / file.path)
    raise DownloadError("; ".join(failures))


def _from_web(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.read()


def _from_hub(address: str) -> bytes:
    """Return a file of a model on the Hub by the Hub's client, which heeds HF_ENDPOINT, HF_TOKEN and its cache."""
    from huggingface_hub import constants, hf_hub_download

    owner, name, path = address.removeprefix(HUB).split("/", 2)
    try:
        return Path(hf_hub_download(f"{owner}/{name}", path)).read_bytes()
    except Exception as error:  # the client, its HTTP library and Xet each raise their own
        raise OSError(f"{constants.ENDPOINT} gave none ({' '.join(str(error).split())[:200]})") from error


def _checked(content: bytes, file: SourceFile) -> bytes:
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
