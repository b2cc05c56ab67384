"""Where a named file is looked for, and that what was found is what its name promises.

Search order: an explicit path → `$HF_LLM_DATA_DIR` → `./data` → the user cache → download into the cache → a
message that names all of these.
"""

import hashlib
import os
import sys
from functools import lru_cache
from pathlib import Path

from hf_llm.config import UserError, home_folder, nearest, quoted, user_path
from hf_llm.data.content import open_plain
from hf_llm.data.download import DownloadError, download
from hf_llm.data.sources import SAMPLE, SOURCES, SourceFile
from hf_llm.texts import both

# what is embedded in the package and serves in the place of a source that is nowhere
INSTEAD = {"mnist": "digits", "the-verdict": "sample", "tiny-shakespeare": "sample", "dom-casmurro": "sample"}


class MissingData(UserError):
    """A named source is nowhere in the search path and could not be downloaded."""

    source: str | None = None  # its name


def find(source: str) -> list[Path]:
    """Return the files of `source`, a name of `SOURCES`, `sample`, or a path; the hashes of named files are checked.

    Raises:
        MissingData: When a named source is nowhere to be had.
        UserError: When a path does not exist or a file's content is not what its name promises.
    """
    if source == "sample":
        return [SAMPLE]
    if source in SOURCES:
        return [_find_file(source, file) for file in SOURCES[source]]
    path = str(user_path(source)) if source else ""
    if not os.path.exists(path):  # unlike Path.exists, no exception for a text that was pasted in place of a path
        names = ["sample", *SOURCES]
        raise UserError(
            f"no such file or source: {quoted(repr(source))}{nearest(source, names)}; "
            f"name a file or one of {', '.join(names)}"
        )
    return [Path(path)]


def search_folders() -> list[Path]:
    """Return the folders that a named file is looked for in, first to last."""
    given = os.environ.get("HF_LLM_DATA_DIR")
    cache = user_cache()
    return [*([user_path(given)] if given else []), Path("data"), *([cache] if cache else [])]


def user_cache() -> Path | None:
    """Return the folder that downloads go to: `$XDG_CACHE_HOME` (or the system's counterpart) + hf_llm.

    None where there is neither that nor a home folder.
    """
    if root := os.environ.get("XDG_CACHE_HOME"):
        return user_path(root) / "hf_llm"
    if sys.platform == "win32" and (root := os.environ.get("LOCALAPPDATA")):
        return Path(root) / "hf_llm"
    home = home_folder()
    return home / ".cache" / "hf_llm" if home else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's decompressed bytes.

    Raises:
        UserError: When the file cannot be read or its compression is damaged.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise UserError(both("data.unreadable", path=path, error=error.strerror)) from None
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache
def _sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    """`size` and `mtime_ns` make the cache forget a file that changed."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_here(source: str) -> bool:
    """Say whether a named source lies in one of the folders already, so that `find` would download nothing."""
    return source == "sample" or all(_local_file(source, file) for file in SOURCES[source])


def _local_file(source: str, file: SourceFile) -> Path | None:
    for folder in search_folders():
        for name in (file.path, *file.other_paths):
            path = folder / name
            if path.is_file():
                if sha256_of(path) != file.sha256:
                    raise UserError(both("data.other_content", path=path, source=source))
                return path
    return None


def _find_file(source: str, file: SourceFile) -> Path:
    if path := _local_file(source, file):
        return path
    try:
        cache = user_cache()
        if cache is None:
            raise DownloadError("there is no folder to keep it in; set HF_LLM_DATA_DIR, XDG_CACHE_HOME or HOME")
        return download(file, cache)
    except DownloadError as error:
        instead = INSTEAD.get(source)
        instead = both("data.missing_instead", embedded=instead) if instead else ""
        looked = ", ".join(str(folder / file.path) for folder in search_folders())
        names = both("data.other_names") if file.other_paths else ""
        missing = MissingData(
            both("data.missing", source=source, looked=looked, names=names, error=error, instead=instead)
        )
        missing.source = source
        raise missing from None
