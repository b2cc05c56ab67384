"""A typed dataclass, filled from a YAML file and then from flags.

`HfArgumentParser` turns each field into a flag with its help and default. What it lacks is added here:
`--config file.yaml` sets defaults that flags override, and an unknown name is answered with the nearest known one.

>>> config = parse(PretrainConfig, ["--config", "configs/gpt2/verdict.yaml", "--max_steps", "20"])
"""

import dataclasses
import difflib
import types
import typing
from pathlib import Path

import yaml

from hf_llm.config.errors import UserError


def parse(config_class: type, argv: list[str] | None = None, description: str | None = None):
    """Build a `config_class` from `argv` (default: the command line).

    Args:
        config_class: A dataclass whose fields carry `metadata={"help": …}`; its `__post_init__` checks the values.
        argv: Words of the command line, without the program's name.
        description: What the script does; `--help` prints it first.

    Raises:
        UserError: For an unknown key or flag, a value of another type, or a value that the class refuses.
    """
    from transformers.hf_argparser import HfArgumentParser  # 0.8 s; without it `--help` of others stays instant

    class Parser(HfArgumentParser):
        def error(self, message):
            raise UserError(f"{message}; see --help")

    parser = Parser(config_class, description=description, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of the settings below; flags override it")
    file_parser = Parser(add_help=False, allow_abbrev=False)
    file_parser.add_argument("--config")
    yaml_file = file_parser.parse_known_args(argv)[0].config
    if yaml_file:
        defaults = load_yaml(config_class, yaml_file)
        parser.set_defaults(**defaults)
        for action in parser._actions:
            action.required = action.required and action.dest not in defaults

    values, unknown = parser.parse_known_args(argv)
    for word in unknown:
        flags = [flag for action in parser._actions for flag in action.option_strings]
        raise UserError(f"unknown argument {word!r}{nearest(word.split('=')[0], flags)}; see --help")
    del values.config
    return config_class(**vars(values))


def load_yaml(config_class: type, path: str | Path) -> dict:
    """Read `path` and return {field: value}, each value converted to its field's type.

    PyYAML reads `1e-3` as a string, so the field decides the type, not the notation.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"config file {path} does not exist; the committed ones are under configs/") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"config file {path} cannot be read as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"config file {path} must hold lines of the form 'name: value'")
    hints = typing.get_type_hints(config_class)
    for key in content:
        if key not in hints:
            raise UserError(f"{path}: unknown key {key!r}{nearest(str(key), list(hints))}")
    return {key: _convert(value, hints[key], f"{path}: {key}") for key, value in content.items()}


def nearest(name: str, known: list[str]) -> str:
    """Return `", did you mean 'x'?"` for the known name most like `name`, or an empty string."""
    match = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {match[0]!r}?" if match else ""


def as_dict(config) -> dict:
    """Return the dataclass as a plain JSON-ready dict."""
    return dataclasses.asdict(config)


def _convert(value, hint, where: str):
    """Convert a YAML value to the type of its field, or raise a sentence."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in options:
            return None
        return _convert(value, next(option for option in options if option is not type(None)), where)
    if origin is typing.Literal:
        if value not in options:
            raise UserError(f"{where} must be one of {', '.join(map(str, options))}, not {value!r}")
        return value
    if origin is list:
        if not isinstance(value, list):
            raise UserError(f"{where} must be a list, not {value!r}")
        return [_convert(item, options[0], where) for item in value]
    if hint is bool or isinstance(value, bool):
        if hint is bool and isinstance(value, bool):
            return value
        raise UserError(f"{where} must be {_name(hint)}, not {value!r}")
    try:
        number = hint(value)
        if hint is int and float(value) != number:
            raise ValueError
        return number
    except (TypeError, ValueError):
        raise UserError(f"{where} must be {_name(hint)}, not {value!r}") from None


def _name(hint) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(hint, str(hint))
