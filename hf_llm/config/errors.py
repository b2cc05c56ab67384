"""The one exception that is meant for a person rather than for a debugger."""

from hf_llm.texts import Language, Translated, both

LONGEST = 2000  # characters of a message


class UserError(ValueError):
    """Something the user can mend. The message says in one sentence what is wrong and what to do.

    Scripts print it alone on one line and exit with code 2; any other exception is a bug and keeps its traceback.
    A message that may reach a page of the web app is made by `hf_llm.texts.both`, which knows it in Portuguese too.
    """

    def __str__(self) -> str:
        return self.in_language("en")

    def in_language(self, lang: Language) -> str:
        """Return the message in `lang` where it is known in both languages, else as it is.

        One of more than `LONGEST` characters repeats something endless, and loses its middle.
        """
        message = self.args[0] if self.args else ""
        said = message.in_language(lang) if isinstance(message, Translated) else str(message)
        return said if len(said) <= LONGEST else quoted(said, most=LONGEST)


def require(condition: bool, message: str) -> None:
    """Raise `UserError(message)` unless `condition` holds."""
    if not condition:
        raise UserError(message)


def one_line(message: object) -> str:
    """Return a message as one line without control characters: a stranger's file, repeated in it, may hold some."""
    return "".join(each if each.isprintable() else "�" for each in " ".join(str(message).splitlines()))


def quoted(words: object, most: int = 100) -> str:
    """Return what a user's file, or a library about it, says, as a message may repeat it: on one line, and not long.

    >>> quoted([1] * 9999, most=20)
    '[1, 1, 1, 1, … 1, 1]'
    """
    said, end = one_line(" ".join(str(words).split())), most // 3
    return said if len(said) <= most else f"{said[: most - end - 1]}…{said[len(said) - end :]}"


def check_unicode(text: str) -> str:
    """Return `text`, or raise a `UserError` that names the place of its first lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = f"U+{ord(text[error.start]):04X}"
        raise UserError(both("config.surrogate", code=code, position=error.start)) from None
    return text
