"""What a model's settings make a loader fetch or run besides its weights."""

from collections.abc import Iterator
from pathlib import Path

from hf_llm.config import require
from hf_llm.hub.contents import read_settings
from hf_llm.hub.names import kind_of

CODE_KEYS = ("auto_map", "custom_pipelines")  # transformers runs what they name, with trust_remote_code


def own_code(where: str, folder: Path, paths: list[str]) -> list[str]:
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
        settings = read_settings(folder / path)
        for key, value in _texts(settings):
            require(
                not ("_implementation" in key and "/" in value),
                f"{where}: {path} asks for the code of {value!r} on the Hub ({key}); it is not taken",
            )
            if key in CODE_KEYS:
                require(
                    "--" not in value and "/" not in value,
                    f"{where}: {path} names the code of another repository ({value}), which no commit pins; "
                    "it is not taken",
                )
                classes.append(value)
        for file in map(str, _values(settings.get("weight_map"))):
            require(
                file in paths and kind_of(file) == "weights",
                f"{where}: {path} looks for weights in {file!r}, which is not one of the model's files",
            )
    return sorted(set(classes))


def _texts(node, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, text) for each text at any depth, with the outermost of the keys above it that matter here."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _texts(value, key or (name if name in CODE_KEYS or "_implementation" in name else ""))
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value, key)
    elif key and isinstance(node, str):
        yield key, node


def _values(weight_map) -> list:
    return list(weight_map.values()) if isinstance(weight_map, dict) else []
