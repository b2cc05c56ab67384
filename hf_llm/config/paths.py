"""What a name of a file or folder means, by one rule for flags, YAML files and the environment.

>>> user_path("runs/verdict").as_posix()
'runs/verdict'
>>> last_name("/home/ana/textos/conto.txt"), last_name("textos/conto.txt")
('conto.txt', 'textos/conto.txt')
"""

import ntpath
import os
import posixpath
from pathlib import Path

from hf_llm.config.errors import UserError, require

# settings, of all commands, that name a file or folder, or may: some take the name of a source or a Hub id, too
PLACES = (
    "output_dir", "run", "runs", "results", "model", "base", "judge", "tokenizer", "tokenizers", "corpus", "data",
    "dataset", "files", "dir", "transformers_js",
)  # fmt: skip


def user_path(name: str | os.PathLike) -> Path:
    """Return `name` as a path, `~` as the home folder: a shell puts it there only where it stands alone.

    Raises:
        UserError: For a `~` when nobody says where the home folder is, and for no name at all.
    """
    written = os.fspath(name)
    require(written != "", "a name of a file or folder is empty; name one, or . for this folder")
    if written == "~" or written.startswith(("~/", f"~{os.sep}")):
        home = home_folder()
        require(home is not None, f"{written}: there is no home folder (HOME is not set); write the path without ~")
        return Path(home, written[2:])
    return Path(os.path.expanduser(written))  # another user's, ~ana/textos; a file may really be called ~x


def home_folder() -> Path | None:
    """Return the user's home folder; None where neither the environment nor the system's list of users has one."""
    if os.environ.get("HOME") == "":  # expanduser would take it for the root folder
        return None
    home = os.path.expanduser("~")
    return None if home == "~" else Path(home)


def library_folder(name: str | os.PathLike) -> Path:
    """Return the folder that `name` means, as one that the libraries which save and load models can take.

    A link is followed, so that what is renamed into place lies on the disk that the link leads to.

    Raises:
        UserError: For a name that is not UTF-8, which tokenizers and safetensors refuse; for a link that leads nowhere.
    """
    path = user_path(name)
    if os.path.islink(path):
        target = Path(os.path.realpath(path))
        require(not os.path.islink(target), f"{path} is a link that leads in a circle; remove it")
        require(
            os.path.exists(target),
            f"{path} is a link to {target}, which is not there; connect that disk, make the folder, or remove the link",
        )
        path = target
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        raise UserError(
            f"the name {os.fsencode(path)!r} is not UTF-8, and the libraries that save and load models take no other; "
            "give the folder another name"
        ) from None
    return path


def last_name(text: str) -> str:
    """Return a path as others may see it: of an absolute one no more than its last name."""
    for system in (posixpath, ntpath):
        if system.isabs(text):
            return system.basename(text.rstrip("/\\")) or text
    return text
