"""Where things lie on the machine that serves the app is nobody's business who visits it."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hf_llm.config import SOURCE, home_folder, last_name


def without_places(said: str, homes: Iterable[Path] = ()) -> str:
    """Return a message without the absolute part of the paths in it: `runs/verdict/config.json` is left of the whole.

    Args:
        said: The message.
        homes: Folders that are cut off, such as the one in which the folder of runs lies. So are that of the package,
            the home folder, the data folder, and the one of temporary files.
    """
    usual = (SOURCE, home_folder(), tempfile.gettempdir(), os.environ.get("HF_LLM_DATA_DIR"))
    places = {str(form) for place in (*homes, *usual) if place for form in _forms(Path(place).absolute())}
    for place in sorted(places, key=len, reverse=True):  # the longest first: one may lie in another
        said = said.replace(f"{place}{os.sep}", "").replace(f"{place}/", "").replace(place, last_name(place))
    return said


def _forms(place: Path) -> set[str]:
    """Return how messages write a folder; nothing for the root, which is in every path."""
    return set() if place == Path(place.anchor) else {str(place), place.as_posix(), os.path.realpath(place)}
