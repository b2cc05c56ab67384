"""The command line of a dataclass: one flag a field, by `HfArgumentParser`, with defaults that a file may replace."""

import argparse
import typing

from transformers.hf_argparser import HfArgumentParser

from hf_llm.config.errors import UserError
from hf_llm.config.values import read_setting, without_none

METAVARS = {bool: "true|false", int: "INT", float: "FLOAT", str: "TEXT"}


class FlagParser(HfArgumentParser):
    """`HfArgumentParser` in this project's manner.

    A field made by `setting(…, positional=True)` is given by its place instead of by a flag, as in `hf-llm verify RUN`.
    A value is read by the rule that YAML's values are read by, an error is a `UserError`, and `--help` shows the
    description as it was written, each flag in one spelling, and the default that holds with the config file.

    Args:
        config_class: A dataclass of bool, int, float, str and Literal fields, lists of these, or one of these or None.
        given: {field: value} that replace the class's defaults, or stand in for a required flag.
        description: What the script does.
    """

    def __init__(self, config_class: type, given: dict, description: str | None):
        self.given, self.hints = given, typing.get_type_hints(config_class)
        self.flags: list[str] = []
        self.ways: dict[str, str] = {}  # {setting: how it is given}
        super().__init__(
            config_class,
            description=description,
            allow_abbrev=False,  # a setting that is added later must not change what an old command means
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        files = "YAML file with any of these settings, or the name of one of the project's, as gpt2/verdict"
        self.add_argument("--config", metavar="FILE", help=f"{files}; flags override it")
        places = [name.upper() for name in self.flags if not name.startswith("-")]
        self.usage = " ".join(["%(prog)s", *places, "[--config FILE] [--setting value ...]"])

    def add_argument(self, *flags: str, **options):
        """Add a flag as `HfArgumentParser` or argparse ask for it, with our reading of values and our help."""
        flags = [flag for flag in flags if "-" not in flag.lstrip("-")]  # not --max-steps beside --max_steps
        name, text, choices = flags[0].removeprefix("--"), options.get("help", ""), None
        if name in self.hints:
            if name in self.given:
                options.update(default=self.given[name], required=False)
            hint = without_none(self.hints[name])
            if typing.get_origin(hint) is list:
                (hint,) = typing.get_args(hint)
                options["nargs"] = "*"  # the flag alone is the empty list
            options["type"] = lambda written: read_setting(name, written, hint)
            choices = options.pop("choices", None)  # `read_setting` refuses others, and names the nearest
            options["metavar"] = METAVARS.get(hint) or "{" + ",".join(map(str, typing.get_args(hint))) + "}"
            text += " (required)" if options.get("required") else f" (default: {_shown(options.get('default'))})"
        elif options.get("action") == "store_false":
            text, options["default"] = f"the same as --{options['dest']} false", argparse.SUPPRESS
        if options.pop("positional", False):
            flags, options["metavar"] = [name], name.upper()
            options["nargs"] = None if options.pop("required", False) else "?"
        self.flags += flags
        if name in self.hints:
            self.ways[name] = flags[0] if flags[0].startswith("-") else name.upper()
        action = super().add_argument(*flags, **{**options, "help": text.replace("%", "%%")})
        if choices:
            action.completer = lambda **_: choices  # what a shell offers
        return action

    def error(self, message: str):
        raise UserError(message if message.endswith("?") else f"{message}; see --help")


def _shown(default) -> str:
    """Return a default as one would type it."""
    if isinstance(default, list):
        return " ".join(map(str, default)) or "an empty list"
    if isinstance(default, bool):
        return str(default).lower()
    return {None: "none", "": "an empty text"}.get(default, str(default))
