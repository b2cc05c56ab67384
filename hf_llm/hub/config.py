"""Settings of hf-llm hub. No heavy import, so that `--help` answers at once."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from hf_llm.config import check_repo_id, require, setting, typed, written
from hf_llm.exports.config import Format

# a branch, a tag or a pull request, as Git names them, or a commit; what an address would read otherwise is not one
REVISION = re.compile(r"\w(?:[\w.-]|/(?=\w))*", re.ASCII)
FORMATS = get_args(Format)
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(kw_only=True)
class PushConfig:
    """What `hf-llm hub push` needs."""

    run: str = setting(..., "folder of a finished run, or one that holds a tokenizer alone", positional=True)
    repo_id: str = setting(..., "owner/name on the Hub; a repository that is not there is made", positional=True)
    private: bool = setting(False, "only you see a repository that this push makes")
    revision: str | None = setting(None, "branch to commit to, else main; one that is not there starts from main")
    create_pr: bool = setting(False, "propose the commit as a pull request; the branch stays as it is")
    export: str | None = setting(
        None, "exports to take along, such as gguf,onnx, which hf-llm export made; any others there are removed"
    )

    def __post_init__(self):
        for name in self.exports:
            require(name in FORMATS, f"{name!r} is no export; known are {', '.join(FORMATS)}")
        check_repo_id(self.repo_id)
        check_revision(self.revision)
        require(
            self.revision is None or not COMMIT.fullmatch(self.revision.lower()),
            f"revision {self.revision} is a commit, which nothing can be added to; name a branch",
        )
        require(
            not (self.create_pr and self.revision),
            f"a pull request is opened against main; leave out {written('revision')}",
        )

    @property
    def exports(self) -> list[str]:
        """The formats of `export`, one by one."""
        return [name.strip() for name in self.export.split(",")] if self.export else []

    @property
    def command(self) -> str:
        """The command line that does this, to be given again."""
        flags = ["--private"] * self.private + ["--create_pr"] * self.create_pr
        flags += ["--export", self.export] if self.export else []
        flags += ["--revision", self.revision] if self.revision else []
        return typed("hf-llm", "hub", "push", Path(self.run), self.repo_id, *flags)


@dataclass(kw_only=True)
class PullConfig:
    """What `hf-llm hub pull` needs."""

    repo_id: str = setting(..., "owner/name of a model or tokenizer on the Hub", positional=True)
    dir: str = setting(..., "folder to make of it; it appears whole or not at all", positional=True)
    revision: str | None = setting(None, "branch, tag or commit; a name is resolved to its commit first, none is main")
    trust_remote_code: bool = setting(
        False, "take the model's own Python files, which loading it runs; wants a commit as --revision"
    )
    max_gigabytes: float = setting(20.0, "refuse what is larger, before anything is fetched")

    def __post_init__(self):
        check_repo_id(self.repo_id)
        check_revision(self.revision)
        require(bool(self.dir.strip()), "DIR is empty; name the folder to make")
        require(
            not self.trust_remote_code or COMMIT.fullmatch(self.revision or "") is not None,
            f"{written('trust_remote_code')} wants {written('revision')} with the commit whose code you have read, all "
            "40 digits of it: what a branch holds can change after you have read it",
        )
        require(self.max_gigabytes > 0, f"max_gigabytes must be greater than 0, not {self.max_gigabytes}")

    @property
    def command(self) -> str:
        """The command line that does this, to be given again."""
        flags = ["--revision", self.revision] if self.revision else []
        flags += ["--trust_remote_code"] * self.trust_remote_code
        if self.max_gigabytes != type(self).max_gigabytes:
            flags += ["--max_gigabytes", f"{self.max_gigabytes:g}"]
        return typed("hf-llm", "hub", "pull", self.repo_id, Path(self.dir), *flags)


@dataclass(kw_only=True)
class SpaceConfig:
    """What `hf-llm hub space` needs."""

    repo_id: str = setting(..., "owner/name of the Space; one that is not there is made", positional=True)
    runs: list[str] = setting(["runs/verdict"], "folders of finished runs that the app offers")
    private: bool = setting(False, "only you see a Space that this makes")
    hardware: Literal["cpu-basic", "zero-a10g"] | None = setting(
        None, "of a Space that this makes: zero-a10g is ZeroGPU, open to free accounts; default the Hub's own choice"
    )
    fresh_environment: bool = setting(
        True,
        "try it in an environment that has its requirements.txt alone: minutes, and some gigabytes for a "
        "while; false: with the packages that are here, where a missing requirement stays unseen",
    )

    def __post_init__(self):
        check_repo_id(self.repo_id)

    @property
    def command(self) -> str:
        """The command line that does this, to be given again."""
        flags = ["--runs", *self.runs, *["--private"] * self.private]
        flags += ["--hardware", self.hardware] if self.hardware else []
        flags += [] if self.fresh_environment else ["--no_fresh_environment"]
        return typed("hf-llm", "hub", "space", self.repo_id, *flags)


def check_revision(revision: str | None) -> None:
    """Raise a `UserError` unless a revision is None or can be one."""
    require(
        revision is None or (REVISION.fullmatch(revision) is not None and ".." not in revision),
        f"{revision!r} is no revision: it must be the name of a branch, of a tag, or a commit",
    )
