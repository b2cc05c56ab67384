"""Which files a name means: a file, a folder with all that lies below it, or a pattern. One rule for every command.

What bears the name as it stands is meant before a pattern is: "livros [2024]/b.txt" is a file. Below a folder all files
of the kinds that are asked for are read, each once, in the order of their paths. A linked folder is read as any, unless
it leads back to a folder around it. Hidden files and folders are left out (.git, .ipynb_checkpoints, ._a.txt), and so
is what this user may not read; a `Reading` counts both, so that nothing is left out silently.
"""

import glob
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from hf_llm.config import require, user_path
from hf_llm.data.content import COMPRESSED
from hf_llm.data.reading import Reading
from hf_llm.data.search import find
from hf_llm.texts import both


def kind_of(path: str | Path) -> str:
    """Return the ending that says what a file holds, in lower case, without that of its compression.

    >>> kind_of("Livro.TXT.gz")
    '.txt'
    """
    name = Path(path).name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return Path(name).suffix


def find_files(names: list[str], kinds: Collection[str], reading: Reading) -> list[Path]:
    """Return the files that names, folders and patterns mean, those of each one sorted, and none twice.

    Args:
        names: Files, named sources, folders or glob patterns (`**` is any folders).
        kinds: Endings of the files that are wanted, as `kind_of` returns them.
        reading: Counts what is left out.

    Raises:
        UserError: When a name is empty, means nothing, or is that of a file of another kind.
    """
    files, seen = [], set()
    for name in names:
        path = str(user_path(name))
        twice = reading.left_out.get("twice", 0)
        if not os.path.exists(path) and glob.has_magic(path):
            found = list(_matching(path, kinds, seen, reading))
        elif os.path.isdir(path):
            found = list(_below(Path(path), kinds, seen, reading))
        else:
            found = [file for file in find(name) if _is_named(file, kinds) and _is_new(file, seen, reading)]
        none = not found and reading.left_out.get("twice", 0) == twice
        require(not none, both("data.no_files", name=name, kinds=", ".join(kinds)))
        files += sorted(found)
    return files


def _matching(pattern: str, kinds: Collection[str], seen: set[str], reading: Reading) -> Iterator[Path]:
    path = Path(pattern)
    literal = next((parent for parent in path.parents if os.path.exists(parent)), Path())  # may hold brackets
    start = parts = path.relative_to(literal).parts
    last = None  # what must follow `**`, which glob itself would follow in circles
    if "**" in parts:
        start, last = parts[: parts.index("**")], parts[parts.index("**") + 1 :]
    for match in sorted(glob.glob(os.path.join(glob.escape(str(literal)), *start))):
        if os.path.isdir(match):
            yield from _below(Path(match), kinds, seen, reading, wanted=str(Path(*last)) if last else "*")
        elif last is None and _is_wanted(Path(match), kinds, reading) and _is_new(Path(match), seen, reading):
            yield Path(match)


def _below(folder: Path, kinds: Collection[str], seen: set[str], reading: Reading, wanted: str = "*") -> Iterator[Path]:
    """Yield the files below a folder whose path ends as the pattern `wanted` says."""
    walked = {os.path.realpath(folder)}  # of this walk alone: another pattern may want other files of it
    walk = os.walk(folder, onerror=lambda error: reading.leave_out("closed", error.filename), followlinks=True)
    for here, folders, names in walk:
        paths = [Path(here, name) for name in sorted(folders)]
        shown = [path for path in paths if _is_shown(path, reading)]
        shown.sort(key=os.path.islink)  # what is linked, too, is read where it lies
        folders[:] = [path.name for path in shown if not _leads_back(path, reading) and _is_new(path, walked, reading)]
        for path in sorted((Path(here, name) for name in names), key=os.path.islink):
            meant = path.match(wanted) and _is_shown(path, reading) and _is_wanted(path, kinds, reading)
            if meant and _is_new(path, seen, reading):
                yield path


def _is_shown(path: Path, reading: Reading) -> bool:
    if path.name.startswith("."):
        reading.leave_out("hidden", path.name)
    return not path.name.startswith(".")


def _leads_back(path: Path, reading: Reading) -> bool:
    """Whether a folder is a link to one that holds it."""
    circle = path.is_symlink() and Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(path))
    if circle:
        reading.leave_out("circle", path)
    return circle


def _is_new(path: Path, seen: set[str], reading: Reading) -> bool:
    """Whether a file or folder was not met before, by whatever name."""
    real = os.path.realpath(path)
    if real in seen:
        reading.leave_out("twice", path)
        return False
    seen.add(real)
    return True


def _is_wanted(path: Path, kinds: Collection[str], reading: Reading) -> bool:
    """Whether a file that was found, not named, is one to read; if not, say why."""
    reason = (
        "kind" if kind_of(path) not in kinds
        else "broken" if not path.exists()
        else "special" if not path.is_file()
        else "closed" if not os.access(path, os.R_OK)
        else None
    )  # fmt: skip
    if reason:
        reading.leave_out(reason, path)
    return reason is None


def _is_named(path: Path, kinds: Collection[str]) -> bool:
    """Whether a file that was named can be read; if not, that is refused."""
    require(path.is_file(), both("data.no_file", path=path))
    require(kind_of(path) in kinds, both("data.unknown_kind", path=path, kinds=", ".join(kinds)))
    return True
