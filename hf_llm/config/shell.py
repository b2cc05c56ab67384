"""Commands that are printed to be pasted: quoted so that a POSIX shell reads back the words that were meant.

>>> print(typed("hf-llm", "generate", *flag("model", Path("runs/meu conto")), *flag("prompt", "- ç;")))
hf-llm generate --model 'runs/meu conto' '--prompt=- ç;'
"""

import os
import re
import shlex
from pathlib import Path

# of $'…', which bash, zsh, ksh and POSIX 2024 read
_ESCAPES = {"\\": b"\\", "'": b"'", "n": b"\n", "t": b"\t", "r": b"\r"}
_NAMES = {content.decode(): letter for letter, content in _ESCAPES.items()}


def typed(*words: str | Path) -> str:
    """Return a command as one would type it, on one line. A path that begins with a dash gets `./`: it is no flag."""
    return " ".join(_quoted(_as_word(word)) for word in words)


def flag(name: str, value: str | Path) -> list[str]:
    """Return the words of `--name value`; one word where the value would be taken for a flag."""
    word = _as_word(value)
    return [f"--{name}={word}"] if word.startswith("-") else [f"--{name}", word]


def read_back(command: str) -> list[str]:
    """Return the words of a command that `typed`, or an earlier version, wrote."""
    plain = re.sub(r"(?<!\S)\$'((?:[^'\\]|\\.)*)'", lambda found: shlex.quote(_unescaped(found[1])), command)
    try:
        return shlex.split(plain)
    except ValueError:  # a quote that is not closed
        return command.split()


def _as_word(word: str | Path) -> str:
    text = os.fspath(word)
    return os.path.join(os.curdir, text) if isinstance(word, Path) and text.startswith("-") else text


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(character: str) -> str:
    if character in _NAMES:
        return f"\\{_NAMES[character]}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))  # of a name that is not UTF-8 its bytes


def _unescaped(text: str) -> str:
    def content(found: re.Match) -> bytes:
        letter = found[1].decode()
        return bytes.fromhex(letter[1:]) if letter[1:] else _ESCAPES.get(letter, found[0])

    return os.fsdecode(re.sub(rb"\\(x[0-9a-f]{2}|[^x])", content, os.fsencode(text)))
