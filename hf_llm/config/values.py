"""From text, typed after a flag or written in YAML, to a value of a field's type: one rule for both.

>>> read_value("1e-3", float)
0.001
>>> read_value("1e-3", int)
Traceback (most recent call last):
argparse.ArgumentTypeError: must be a whole number, not '1e-3'
"""

import argparse
import difflib
import math
import types
import typing

from hf_llm.config.errors import UserError, quoted
from hf_llm.config.paths import PLACES, user_path

TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def read_setting(name: str, written: str, hint):
    """Return the value of the setting `name`: as `read_value`, and `~` is the home folder where it names a place."""
    value = read_value(written, hint)
    if name not in PLACES or not isinstance(value, str):
        return value
    try:
        return str(user_path(value)) if value.startswith("~") else value
    except UserError as error:  # argparse would take it for a ValueError of its own
        raise argparse.ArgumentTypeError(str(error)) from None


def read_value(written: str, hint):
    """Return `written` as a value of the type `hint`: bool, int, float, str, a Literal, or one of these or None.

    Raises:
        argparse.ArgumentTypeError: With what is expected; argparse puts the flag before it.
    """
    hint = without_none(hint)
    if typing.get_origin(hint) is typing.Literal:
        choices = {str(choice): choice for choice in typing.get_args(hint)}
        if written not in choices:
            raise argparse.ArgumentTypeError(
                f"must be one of {', '.join(choices)}, not {quoted(repr(written))}{nearest(written, list(choices))}"
            )
        return choices[written]
    try:
        value = TRUTH[written.lower()] if hint is bool else hint(written)
        if hint is float and math.isnan(value):  # every comparison with it is false, so no bound would catch it
            raise ValueError
        return value
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"must be {NAMES[hint]}, not {quoted(repr(written))}") from None


def count_or_share(value: float, whole: int) -> int:
    """Return `value` as a count, below 1 as that share of `whole`, rounded up: as TrainingArguments reads its warm-up.

    >>> count_or_share(50, 500), count_or_share(0.1, 500)
    (50, 50)
    """
    return int(value) if value >= 1 else math.ceil(whole * value)


def allows_none(hint) -> bool:
    """Whether `hint` is `X | None`."""
    return type(None) in typing.get_args(hint)


def without_none(hint):
    """Return X for `X | None`, and any other hint as it is."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(option for option in typing.get_args(hint) if option is not type(None))
    return hint


def nearest(name: str, known: list[str]) -> str:
    """Return `", did you mean 'x'?"` for the known name most like `name`, or an empty string."""
    originals = {candidate.lower(): candidate for candidate in known}
    match = difflib.get_close_matches(name.lower(), originals, n=1)
    return f", did you mean {originals[match[0]]!r}?" if match else ""
