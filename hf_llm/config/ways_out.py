"""What a message may advise: settings that the running command has, written as one types them there.

The same message is raised below several commands. `hf-llm pretrain` has --output_dir and --restart, `hf-llm hub pull`
takes its folder by its place, `hf-llm verify` and `hf-llm demo` have neither. So a message names no flag; it says which
setting would help and how, and the command's own parser says whether there is one.
"""

_flags: dict[str, str] | None = None  # of the command that runs in this process; None below no command


def note_flags(flags: dict[str, str]) -> None:
    """Take note of how the running command is given its settings: {"output_dir": "--output_dir", "run": "RUN"}."""
    global _flags
    _flags = flags


def written(setting: str) -> str:
    """Return how the running command is given `setting`; its bare name where no command runs, as in a notebook."""
    return setting if _flags is None else _flags.get(setting, setting)


def has(*settings: str) -> bool:
    """Whether the running command has all these settings; a caller in Python has every one."""
    return _flags is None or set(settings) <= _flags.keys()


def advice(otherwise: str = "", **ways: str) -> str:
    """Return the end of a message: "; " and the ways out that the running command has, or `otherwise`, or nothing.

    Args:
        otherwise: What helps where the command has none of the settings.
        ways: {setting: what to do}, in which `{}` stands for the setting.

    >>> "the folder is taken" + advice(output_dir="name another {}", restart="move it aside with {}")
    'the folder is taken; name another output_dir, or move it aside with restart'
    """
    said = [way.format(written(setting)) for setting, way in ways.items() if has(setting)] or [otherwise]
    return f"; {', or '.join(said)}" if any(said) else ""
