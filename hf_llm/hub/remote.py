"""What a repository holds at a commit, and whether a file here is the same, by its hash."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from hf_llm.config import require
from hf_llm.hub.config import COMMIT

MOST_FILES = 10_000  # of a listing; a model has some dozens


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub lists it.

    Attributes:
        size: In bytes.
        sha256: Of the content, for a file in large file storage (LFS, Xet).
        blob_id: Git's hash of the content, for any other.
    """

    path: str
    size: int
    sha256: str | None
    blob_id: str

    def is_same(self, content: bytes | Path) -> bool:
        """Whether the content, or that of the file, has this size and hash."""
        with io.BytesIO(content) if isinstance(content, bytes) else open(content, "rb") as file:
            size = file.seek(0, io.SEEK_END)
            if size != self.size:
                return False
            file.seek(0)
            if self.sha256:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
            digest = hashlib.sha1(b"blob %d\0" % size)
            while block := file.read(1 << 20):
                digest.update(block)
            return digest.hexdigest() == self.blob_id


def files_at(api: HfApi, repo_id: str, commit: str, repo_type: str = "model") -> dict[str, RemoteFile]:
    """Return {path: file} of a repository at a commit.

    Raises:
        UserError: When there are more files than any model has.
        Exception: What the client raises when it cannot ask.
    """
    require(COMMIT.fullmatch(commit) is not None, f"the Hub gave {commit!r} as a commit of {repo_id}, which is none")
    files = {}
    for number, entry in enumerate(api.list_repo_tree(repo_id, recursive=True, revision=commit, repo_type=repo_type)):
        require(number < MOST_FILES, f"{repo_id} holds more than {MOST_FILES:,} files, which no model does")
        if isinstance(entry, RepoFile):
            size, sha256 = (entry.lfs.size, entry.lfs.sha256) if entry.lfs else (entry.size, None)
            files[str(entry.path)] = RemoteFile(str(entry.path), int(size), sha256, entry.blob_id)
    return files
