"""`hf-llm NAME …`: every command of the project in one program.

The first word is the name of a file of this package; the rest is what the command takes. A shell completes
names and flags after

    eval "$(register-python-argcomplete hf-llm)"
"""

import argparse
import ast
import importlib
import os
import sys
from pathlib import Path

import argcomplete

from hf_llm import __version__
from hf_llm.config import UserError, command, nearest

# as a person meets them
GROUPS = {
    "begin": ("demo", "exercise", "app"),
    "build a model": (
        "train_tokenizer", "compare_tokenizers", "prepare_corpus", "plan", "instantiate_gpt2", "pretrain", "finetune",
        "train_mnist",
    ),
    "use it": ("generate", "evaluate_lm", "verify", "export", "hub"),
    "ask the lecture's questions": ("discuss", "dropout_study"),
    "work on the project itself": (
        "benchmark", "crash_test", "hub_stress", "hostile_test", "export_check", "screenshots",
    ),
}  # fmt: skip
COMMANDS = [name for names in GROUPS.values() for name in names]


@command
def main() -> int:
    """Call the command that the first argument names."""
    parser = program_parser()
    if "_ARGCOMPLETE" in os.environ:
        complete(parser)
    if not sys.argv[1:]:
        parser.print_help()
        return 2
    name = known(parser.parse_args(sys.argv[1:2]).command)
    sys.argv[:2] = [f"hf-llm {name}"]  # so that --help and the manifest name it
    return importlib.import_module(f"hf_llm.commands.{name}").main()


class ProgramParser(argparse.ArgumentParser):
    """An argument parser whose errors are `UserError`s."""

    def error(self, message: str):
        raise UserError(f"{message}; see hf-llm --help")


def program_parser() -> ProgramParser:
    """Return the parser of the first argument; its help shows the commands in their groups, a phrase for each."""
    width = max(map(len, COMMANDS))
    groups = [
        "\n".join([f"{title}:", *(f"  {name:<{width}}  {phrase(name)}" for name in names)])
        for title, names in GROUPS.items()
    ]
    parser = ProgramParser(
        prog="hf-llm", usage="hf-llm COMMAND [--setting value ...]", allow_abbrev=False,
        description="\n\n".join(["Watch a language model being built, and pretrain GPT-2 at real scale.", *groups]),
        epilog="hf-llm COMMAND --help explains a command. Begin with: hf-llm demo, then hf-llm app",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"hf-llm {__version__}")
    parser.add_argument("command", help=argparse.SUPPRESS).completer = lambda **_: COMMANDS
    return parser


def known(name: str) -> str:
    """Return the name of a command as it was typed, or refuse it with the nearest one."""
    if name not in COMMANDS:
        raise UserError(f"there is no command {name!r}{nearest(name, COMMANDS) or '; see hf-llm --help'}")
    return name


def phrase(name: str) -> str:
    """Return the first line of what a command says of itself, without importing it."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)).splitlines()[0]


def complete(parser: ProgramParser) -> None:
    """Answer the shell, which asks for completions: here for the first word, else in the command's own parser."""
    words = os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])].split(" ")
    if len(words) > 2 and words[1] in COMMANDS:
        os.environ["_ARGCOMPLETE"] = "2"  # its words begin at the second
        importlib.import_module(f"hf_llm.commands.{words[1]}").main()
    argcomplete.autocomplete(parser)
