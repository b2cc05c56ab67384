"""A typed dataclass, filled from a YAML file and then from flags.

`HfArgumentParser` turns each field into a flag with its help and default. What it lacks is added in this package:
`--config FILE` sets defaults that flags override, and an unknown name is answered with the nearest known one.

>>> config = parse(PretrainConfig, ["--config", "configs/gpt2/verdict.yaml", "--max_steps", "20"])
"""

import argparse

from hf_llm.config.errors import UserError, require
from hf_llm.config.values import nearest
from hf_llm.config.yaml_file import load_yaml


def parse(config_class: type, argv: list[str] | None = None, description: str | None = None):
    """Build a `config_class` from `argv` (default: the command line).

    Args:
        config_class: A dataclass whose fields carry `metadata={"help": …}`; its `__post_init__` checks the values.
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
    values, unknown = parser.parse_known_args(argv)
    for argument in unknown:
        known = nearest(argument.split("=")[0], parser.flags)
        raise UserError(f"unknown argument {argument!r}{known or '; see --help'}")
    del values.config
    return config_class(**vars(values))
