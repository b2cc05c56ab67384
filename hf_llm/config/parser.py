"""A typed dataclass, filled from a YAML file and then from flags.

`HfArgumentParser` turns each field into a flag with its help and default. What it lacks is added in this package:
`--config FILE` sets defaults that flags override, and an unknown name is answered with the nearest known one.

>>> config = parse(PretrainConfig, ["--config", "gpt2/verdict", "--max_steps", "20"])

The file has one `name: value` per line, read so that the field decides the type and not the notation. PyYAML alone
would read `1e-3` as a text, `010` as 8, `no` as false, and of a name that is given twice the last value. So only
YAML's structure is taken from it (`yaml.compose`): a value comes as it is written in the file, with its line.
"""

import argparse
import dataclasses
import typing
from pathlib import Path

import argcomplete
import yaml

from hf_llm.config.errors import UserError, quoted, require
from hf_llm.config.files import find_config
from hf_llm.config.values import allows_none, nearest, read_setting, without_none
from hf_llm.config.ways_out import note_flags


def setting(default, help: str, **more):
    """Return a field with its help: meaning, unit, and why this default; `...` for a field that must be given."""
    metadata = {"help": help, **more}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=dataclasses.MISSING if default is ... else default, metadata=metadata)


def parse(config_class: type, argv: list[str] | None = None, description: str | None = None):
    """Build a `config_class` from `argv` (default: the command line).

    Args:
        config_class: A dataclass whose fields are made by `setting`; its `__post_init__` checks the values.
        argv: Arguments of the command line, without the program's name.
        description: What the script does; `--help` prints it first.

    Raises:
        UserError: For an unknown key or flag, a value of another type, or a value that the class refuses.
    """
    from hf_llm.config.flags import FlagParser  # imports transformers, which a test of a config class need not

    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--config", action="append", nargs="?", default=[])
    files = [file for file in first.parse_known_args(argv)[0].config if file is not None]
    require(len(files) <= 1, f"--config is given {len(files)} times; put the settings into one file, or into flags")
    given = load_yaml(config_class, files[0]) if files else {}

    parser = FlagParser(config_class, given, description)
    note_flags(parser.ways)
    argcomplete.autocomplete(parser)  # nothing, unless a shell asks for the flags
    values, unknown = parser.parse_known_args(argv)
    for argument in unknown:
        known = nearest(argument.split("=")[0], parser.flags)
        raise UserError(f"unknown argument {quoted(repr(argument))}{known or '; see --help'}")
    del values.config
    return config_class(**vars(values))


def load_yaml(config_class: type, path: str | Path) -> dict:
    """Read `path` and return {field: value}, each value of its field's type.

    Args:
        config_class: The dataclass whose fields may be set.
        path: A UTF-8 file, or the name of one as `find_config` takes it.

    Raises:
        UserError: When the file cannot be read, or a line is not a field and a value for it; names file and line.
    """
    path = find_config(path)
    try:
        tree = yaml.compose(path.read_bytes(), Loader=yaml.SafeLoader)  # knows UTF-16 by its byte-order mark
    except yaml.MarkedYAMLError as error:
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise UserError(f"{path}, line {error.problem_mark.line + 1} is not YAML: {problem}") from None
    except OSError as error:
        raise UserError(f"config file {path} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise UserError(f"config file {path} is nested too deeply; write lines of the form 'name: value'") from None
    except yaml.YAMLError as error:
        raise UserError(f"config file {path} cannot be read: {quoted(error, most=200)}; save it as UTF-8") from None
    if not isinstance(tree, yaml.MappingNode) or not all(isinstance(key, yaml.ScalarNode) for key, _ in tree.value):
        raise UserError(f"config file {path} must hold lines of the form 'name: value'")

    hints = typing.get_type_hints(config_class)
    fields = [field.name for field in dataclasses.fields(config_class) if field.init]
    values, lines = {}, {}
    for key, node in tree.value:
        name, line = key.value, key.start_mark.line + 1
        where = f"{path}, line {line}"
        if name not in fields:
            raise UserError(f"{where}: unknown key {quoted(repr(name))}{nearest(name, fields) or '; --help lists all'}")
        if name in lines:
            raise UserError(f"{where}: {name} is already set on line {lines[name]}; keep one of the two")
        try:
            values[name], lines[name] = _read_node(node, hints[name], name), line
        except argparse.ArgumentTypeError as error:
            raise UserError(f"{where}: {name} {error}") from None
    return values


def _read_node(node: yaml.Node, hint, name: str):
    """Return the value of a YAML node for the field `name`: null, a list, or one value."""
    is_null = node.tag == "tag:yaml.org,2002:null"
    if is_null and allows_none(hint):
        return None
    hint = without_none(hint)
    if typing.get_origin(hint) is list:
        if not isinstance(node, yaml.SequenceNode):
            raise argparse.ArgumentTypeError("must be a list, like [a, b]")
        return [_read_node(item, typing.get_args(hint)[0], name) for item in node.value]
    if is_null:
        raise argparse.ArgumentTypeError("has no value; write one, or leave the line out to take the default")
    if not isinstance(node, yaml.ScalarNode):
        raise argparse.ArgumentTypeError("must be a single value, not a list or a mapping")
    return read_setting(name, node.value, hint)
