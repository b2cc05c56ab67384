"""The one rule about code that a model's settings bring with them: loading and pulling both go by it.

config.json and its siblings are data from a stranger, and transformers obeys some of them by fetching or running
something besides the weights (read in transformers 5.23):

    auto_map, custom_pipelines      with `trust_remote_code`, a class from a file of the folder or of another repository
    …_implementation                a kernel of the Hub where the value has a "/": fetched and run, whatever the flag
    backbone, architecture          a model inside a model, from another repository where the value has a "/" (timm)
    audio_tokenizer_name_or_path    the same inside a processor
    weight_map, transformers_weights    files that the weights are read from, of whatever format
    attribute_map                   another name for any setting, also for those above

A folder may also hold custom_generate/generate.py, which only `trust_remote_code` runs: loading never gives that flag,
and pulling leaves the file on the Hub.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from hf_llm.config import UserError, quoted, require
from hf_llm.data.content import read_utf8
from hf_llm.texts import both

WEIGHTS = re.compile(r"model(?:-\d{5}-of-\d{5})?\.safetensors")
# config.4.0.json and so on: transformers takes the newest that its own version has reached
SETTINGS = re.compile(
    r"(?:config(?:\.\d[\w.+!-]*)?|(?:generation|preprocessor|processor|tokenizer)_config"
    r"|special_tokens_map|added_tokens|model\.safetensors\.index|run)\.json"
)
CODE_KEYS = ("auto_map", "custom_pipelines")
REPOSITORY_KEYS = ("backbone", "architecture", "audio_tokenizer_name_or_path")
ALIASES = "attribute_map"
CLASS = re.compile(r"\w+(?:\.\w+)*", re.ASCII)


def read_settings(where: str | Path, path: str, content: bytes) -> dict:
    """Return the object of a JSON file's content.

    Args:
        where: The repository or folder, for the message.
        path: The file in it.
        content: What it holds.

    Raises:
        UserError: When that is no JSON object.
    """
    text = read_utf8(content, Path(where) / path)
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(both("models.not_json", where=str(where), path=path)) from None
    require(isinstance(settings, dict), both("models.no_object", where=str(where), path=path))
    return settings


def named_code(where: str | Path, folder: Path, paths: Collection[str]) -> dict[str, str]:
    """Refuse settings that reach outside of the model, and return the classes of its own that they name.

    Args:
        where: The repository or folder, for the message.
        folder: Holds the model's settings.
        paths: The files that the model has, in the folder or still to come.

    Returns:
        {class, as "modeling_mlp.MLPModel": the file that names it}; nothing runs them but `trust_remote_code`.

    Raises:
        UserError: When the settings ask for another repository's code or weights, or hide what they ask for.
    """
    named = {}
    for path in sorted(paths):
        if not SETTINGS.fullmatch(path) or not (folder / path).is_file():
            continue
        settings = read_settings(where, path, (folder / path).read_bytes())
        place = {"where": str(where), "path": path}
        for key, value in _obeyed(settings):
            shown = {**place, "setting": quoted(repr(key)), "value": quoted(repr(value))}
            require(key != ALIASES, both("models.hides_settings", **place))
            require(key in CODE_KEYS or "/" not in value, both("models.asks_for_another", **shown))
            if (
                key in CODE_KEYS and "." in value
            ):  # a class of a file; transformers' own stand there by their name alone
                named[value] = path
        for file in _weight_files(settings):
            is_weights = file in paths and WEIGHTS.fullmatch(file) is not None
            require(is_weights, both("models.weights_elsewhere", **place, file=quoted(repr(file))))
    return named


def require_own_code(where: str | Path, named: Mapping[str, str]) -> None:
    """Refuse classes of another repository or folder: a commit of this one does not say what they are.

    Args:
        where: The repository or folder, for the message.
        named: What `named_code` returned.

    Raises:
        UserError: Names the first such class.
    """
    for name, path in named.items():
        shown = {"where": str(where), "path": path, "value": quoted(repr(name))}
        require("--" not in name and "/" not in name, both("models.code_of_another", **shown))
        require(CLASS.fullmatch(name) is not None, both("models.no_class", **shown))


def _obeyed(settings: dict) -> Iterator[tuple[str, str]]:
    """Yield (key, text) for each text at any depth below a key of the rule, with the outermost such key."""
    waiting = [("", settings)]  # no recursion: how deep it goes is up to the stranger
    while waiting:
        key, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [(key if key and name != ALIASES else _key(name), value) for name, value in node.items()]
        elif isinstance(node, list):
            waiting += [(key, value) for value in node]
        elif key and isinstance(node, str):
            yield key, node


def _key(name: str) -> str:
    """Return the name of a setting that the rule is about, "" for any other."""
    return name if "_implementation" in name or name in (*CODE_KEYS, *REPOSITORY_KEYS, ALIASES) else ""


def _weight_files(settings: dict) -> list[str]:
    """Return the files in which an index, or a config, says that the weights are."""
    index = settings.get("weight_map")
    files = [*(index.values() if isinstance(index, dict) else ()), settings.get("transformers_weights")]
    return [str(file) for file in files if file is not None]
