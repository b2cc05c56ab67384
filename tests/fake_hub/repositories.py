"""The repositories of the fake Hub: commits over files, branches, tags, pull requests."""

import hashlib
from dataclasses import dataclass, field

from fake_hub.messages import Refused

LFS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pkl", ".h5", ".onnx", ".model", ".zip")  # as the Hub's .gitattributes
GIT_ATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES).encode()


def git_blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def lfs_pointer(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


@dataclass(frozen=True)
class File:
    """A file of a commit: a regular one with its content, or a large one whose content lies under its SHA-256.

    `size` and `blob_id` are what the Hub reports; a test that makes the Hub lie replaces them.
    """

    size: int
    blob_id: str
    content: bytes | None = None
    sha256: str | None = None

    @classmethod
    def regular(cls, content: bytes) -> "File":
        return cls(len(content), git_blob_id(content), content=content)

    @classmethod
    def large(cls, sha256: str, size: int) -> "File":
        return cls(size, git_blob_id(lfs_pointer(sha256, size)), sha256=sha256)

    @property
    def oid(self) -> str:
        """What a client compares its own file with before an upload."""
        return self.sha256 or self.blob_id


@dataclass(frozen=True)
class Commit:
    id: str
    parent: str | None
    title: str
    files: dict[str, File]


@dataclass
class Repository:
    """A model, data set or Space.

    Attributes:
        branches: {name: commit id}; `refs/pr/1` and so on are among them.
        commits: {id: commit}, oldest first.
    """

    type: str
    id: str
    private: bool = False
    sdk: str | None = None
    hardware: str | None = None
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    def __post_init__(self):
        self.write("main", {".gitattributes": File.regular(GIT_ATTRIBUTES)}, "initial commit")

    def commit_of(self, revision: str) -> Commit:
        """Return the commit that a branch, tag or commit id names."""
        name = self.branches.get(revision) or self.tags.get(revision) or revision
        if name not in self.commits:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[name]

    def files(self, revision: str = "main") -> dict[str, File]:
        return self.commit_of(revision).files

    def write(self, branch: str, files: dict[str, File], title: str) -> Commit:
        """Put a commit of exactly these files at the head of a branch, which may be new."""
        parent = self.branches.get(branch)
        text = repr((self.type, self.id, len(self.commits), parent, title, {p: f.oid for p, f in files.items()}))
        commit = Commit(hashlib.sha1(text.encode()).hexdigest(), parent, title, dict(files))
        self.commits[commit.id] = commit
        self.branches[branch] = commit.id
        return commit

    def open_pull_request(self, commit: str) -> int:
        """Make a branch for a pull request that starts from `commit`, and return its number."""
        number = 1 + sum(name.startswith("refs/pr/") for name in self.branches)
        self.branches[f"refs/pr/{number}"] = commit
        return number

    def change(
        self,
        revision: str,
        add: dict[str, File],
        delete: list[str],
        title: str,
        parent: str | None = None,
        pull_request: bool = False,
    ) -> tuple[Commit, int | None]:
        """Commit onto a branch, or propose it in a new pull request.

        Args:
            add: New and changed files.
            delete: Files, and folders with a final slash.
            parent: The commit that the branch must be at; a pull request starts from it.

        Returns:
            The commit, and the number of the pull request if it is one.
        """
        if revision not in self.branches:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if parent and not pull_request and not self.branches[revision].startswith(parent):
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        base = self.commit_of(parent or revision)
        files = {
            path: file
            for path, file in base.files.items()
            if not any(path == name or (name.endswith("/") and path.startswith(name)) for name in delete)
        }
        branch, number = revision, None
        if pull_request:
            number = self.open_pull_request(base.id)
            branch = f"refs/pr/{number}"
        return self.write(branch, {**files, **add}, title), number


def upload_mode(path: str, size: int, sample: bytes) -> str:
    """Decide as the Hub does: by name, by size, and whether the beginning is text."""
    if path.endswith(LFS_SUFFIXES) or size > 10 * 2**20 or b"\0" in sample:
        return "lfs"
    return "regular"
