"""What a model's settings make a loader fetch or run besides its weights."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from hf_llm.config import require
from hf_llm.hub.contents import read_settings
from hf_llm.hub.names import kind_of

CODE_KEYS = ("auto_map", "custom_pipelines")  # transformers runs what they name, with trust_remote_code
CLASS = re.compile(r"\w+(?:\.\w+)*", re.ASCII)
ALIASES = "attribute_map"  # transformers' classes have one; in a file it gives any of the other keys another name


def own_code(where: str, folder: Path, paths: Collection[str]) -> list[str]:
    """Return the classes of its own that a model brings, as "modeling_mlp.MLPModel"; [] for a plain one.

    Args:
        where: The repository or folder, for the sentence.
        folder: Holds the model's settings.
        paths: The files that the model has, in it or still to come.

    Raises:
        UserError: When the settings name code, weights or a kernel outside of the model.
    """
    classes = []
    for path in paths:
        if kind_of(path) != "settings" or not (folder / path).is_file():
            continue
        settings = read_settings((folder / path).read_bytes())
        for key, value in _texts(settings):
            require(
                not (_names_a_repository(key) and "/" in value),
                f"{where}: {path} asks for {value[:100]!r} on the Hub ({key[:100]!r}); it is not taken",
            )
            require(key != ALIASES, f"{where}: {path} gives settings other names ({ALIASES}), which hides what they do")
            if key in CODE_KEYS:
                require(
                    "--" not in value and "/" not in value,
                    f"{where}: {path} names the code of another repository ({value[:100]!r}), which no commit pins; "
                    "it is not taken",
                )
                require(CLASS.fullmatch(value) is not None, f"{where}: {path} names {value[:100]!r}, which is no class")
                classes.append(value)
        for file in map(str, _values(settings.get("weight_map"))):
            require(
                file in paths and kind_of(file) == "weights",
                f"{where}: {path} looks for weights in {file[:100]!r}, which is not one of the model's files",
            )
    return sorted(set(classes))


def _texts(settings: dict) -> Iterator[tuple[str, str]]:
    """Yield (key, text) for each text at any depth below a key that matters here, with the outermost such key."""
    waiting = [("", settings)]  # no recursion: how deep it goes is up to the stranger
    while waiting:
        key, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [(key or (name if _matters(name) else ""), value) for name, value in node.items()]
        elif isinstance(node, list):
            waiting += [(key, value) for value in node]
        elif key and isinstance(node, str):
            yield key, node


def _matters(name: str) -> bool:
    return name in (*CODE_KEYS, ALIASES) or _names_a_repository(name)


def _names_a_repository(key: str) -> bool:
    return "_implementation" in key or key == "backbone"  # kernels for attention, and a model inside of a model


def _values(weight_map) -> list:
    return list(weight_map.values()) if isinstance(weight_map, dict) else []
