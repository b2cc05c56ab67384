"""The one exception that is meant for a person rather than for a debugger."""

from hf_llm.texts import Language, Translated


class UserError(ValueError):
    """Something the user can mend. The message is one sentence that says what is wrong and what to do.

    Scripts print it alone on one line and exit with code 2; any other exception is a bug and keeps its traceback.
    A sentence that may reach a page of the web app is made by `hf_llm.texts.both`, which knows it in Portuguese too.
    """

    def in_language(self, lang: Language) -> str:
        """Return the sentence in `lang` where it is known in both languages, else as it is."""
        message = self.args[0] if self.args else ""
        return message.in_language(lang) if isinstance(message, Translated) else str(message)


def require(condition: bool, sentence: str) -> None:
    """Raise `UserError(sentence)` unless `condition` holds."""
    if not condition:
        raise UserError(sentence)


def one_line(message: object) -> str:
    """Return a message as one line without control characters: a stranger's file, repeated in it, may hold some."""
    return "".join(each if each.isprintable() else "�" for each in " ".join(str(message).splitlines()))
