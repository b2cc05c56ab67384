"""The one exception that is meant for a person rather than for a debugger."""


class UserError(ValueError):
    """Something the user can mend. The message is one sentence that says what is wrong and what to do.

    Scripts print it alone on one line and exit with code 2; any other exception is a bug and keeps its traceback.
    """


def require(condition: bool, sentence: str) -> None:
    """Raise `UserError(sentence)` unless `condition` holds."""
    if not condition:
        raise UserError(sentence)


def one_line(message: object) -> str:
    """Return a message as one line without control characters: a stranger's file, repeated in it, may hold some."""
    return "".join(each if each.isprintable() else "�" for each in " ".join(str(message).splitlines()))
