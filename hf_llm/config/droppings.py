"""What file managers, and programs that keep folders in step, leave behind: nobody's work, in nobody's way.

The names are those of github.com/github/gitignore (Global: macOS, Windows, Linux, Dropbox, Syncthing), of NFS and FUSE
for a file that was deleted while it was open, and of Synology's disk stations. What may hold somebody's files (a
recycle bin, old versions) is not among them.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

NAMES = (
    ".DS_Store", "._*", ".AppleDouble", ".localized", "Icon\r", ".Spotlight-V100", ".fseventsd", ".TemporaryItems",
    "Thumbs.db", "ehthumbs*.db", "desktop.ini",
    ".directory", ".nfs*", ".fuse_hidden*", ".hidden", "@eaDir", ".ipynb_checkpoints",
    ".dropbox", ".dropbox.attr", ".dropbox.cache", ".stfolder", ".syncthing.*", "~syncthing~*", ".sync_*.db*",
    ".owncloudsync.log*", ".tmp.drivedownload", ".tmp.driveupload",
)  # fmt: skip
_FOLDED = tuple(name.casefold() for name in NAMES)  # Windows writes Desktop.ini and desktop.ini


def is_dropping(name: str) -> bool:
    """Say whether a file or folder of this name is no one's work.

    >>> is_dropping(".DS_Store"), is_dropping("Desktop.ini"), is_dropping("._model.safetensors"), is_dropping("._")
    (True, True, True, True)
    >>> is_dropping("thesis.tex"), is_dropping(".gitignore")
    (False, False)
    """
    return any(fnmatchcase(name.casefold(), pattern) for pattern in _FOLDED)


def without_droppings(paths: Iterable[Path]) -> list[Path]:
    """Return those paths that are somebody's, in order of their names."""
    return sorted(path for path in paths if not is_dropping(path.name))
