"""A message advises what the command that prints it can do: no flag that it lacks, no command with flags it has not."""

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hf_llm.commands.program import COMMANDS
from hf_llm.config import SOURCE, UserError, advice, has, written
from hf_llm.config.flags import FlagParser
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.runs.lock import hold
from hf_llm.runs.manifest import read_manifest

PACKAGE = SOURCE / "hf_llm"
MESSAGES = {"UserError", "require", "both", "advice", "Damaged", "DownloadError", "MissingData"}
FLAG = re.compile(r"(?<![\w-])--([a-z]\w*)")
COMMAND = re.compile(r"hf-llm ((?:hub )?[a-z_]+)((?: (?!hf-llm|accelerate)[^\s\"'`;,()]+)*)")


def config_classes() -> dict[str, type]:
    """Return {command: the dataclass of its settings}, by what each file of hf_llm/commands parses."""
    made = {}
    for name in COMMANDS:
        module = importlib.import_module(f"hf_llm.commands.{name}")
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        parsed = [node.args[0].id for node in calls(tree, {"parse"}) if isinstance(node.args[0], ast.Name)]
        for class_name in parsed:
            kind = class_name.removesuffix("Config").lower()
            made[f"hub {kind}" if name == "hub" and kind != "hub" else name] = getattr(module, class_name)
    return made


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
            yield node


CLASSES = config_classes()
FLAGS = {name: set(FlagParser(kind, {}, None).flags) | {"--help"} for name, kind in CLASSES.items()}
SETTINGS = {field.name for kind in CLASSES.values() for field in dataclasses.fields(kind)}
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*texts.yaml"))}


def strings(node: ast.AST) -> list[str]:
    """Return the texts in a node; of an f-string the whole, with `{}` in the place of a value, and so of `typed`."""
    found, within = [], set()
    for call in calls(node, {"typed"}):  # a command, word by word
        within |= {id(word) for word in call.args}
        found.append(" ".join(word.value if isinstance(word, ast.Constant) else "{}" for word in call.args))
    for each in ast.walk(node):
        if isinstance(each, ast.JoinedStr):
            within |= {id(part) for part in each.values}
            found.append("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in each.values))
    constants = [each for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return found + [each.value for each in constants if id(each) not in within]


def without_commands(text: str) -> str:
    """Return a text without the commands in it, whose flags are their own."""
    return re.sub(r"(hf-llm|accelerate launch|pip install|iconv|mlx_lm.generate) [^;:`]*", "", text)


def test_every_command_is_looked_at():
    assert set(COMMANDS) <= CLASSES.keys()
    assert {"hub push", "hub pull", "hub space"} <= CLASSES.keys()
    assert "--restart" in FLAGS["pretrain"]
    assert FLAGS["verify"] == {"run", "--config", "--help", "-h"}


def test_messages_name_no_flag_but_by_the_commands_parser():
    """`advice`, `written` and `has` ask it; a flag typed into a message would be wrong below another command."""
    typed = [
        f"{path.relative_to(SOURCE)}:{node.lineno}: {text}"
        for path, tree in TREES.items()
        if not path.is_relative_to(PACKAGE / "config")  # the parser itself: --config and --help are every command's
        for node in calls(tree, MESSAGES)
        for text in strings(node)
        if FLAG.search(without_commands(text))
    ]
    assert typed == []
    typed = [
        f"{path.relative_to(SOURCE)}: {line.strip()}"
        for path, text in TEXTS.items()
        for line in text.splitlines()
        if FLAG.search(without_commands(line)) and "experiments" not in path.parts
    ]
    assert typed == []


def test_what_is_advised_is_a_setting():
    unknown = [
        f"{path.relative_to(SOURCE)}:{node.lineno}: {name}"
        for path, tree in TREES.items()
        if path.name != "ways_out.py"
        for node in calls(tree, {"advice", "written", "has"})
        for name in [
            *(key.arg for key in node.keywords if key.arg),
            *(each.value for each in node.args if isinstance(each, ast.Constant) and node.func.id != "advice"),
        ]
        if name not in SETTINGS
    ]
    assert unknown == []


def test_commands_in_messages_and_texts_have_the_flags_they_are_given():
    """Of what a file says to type, the command exists, and so does each flag."""
    said = [(path, text) for path, tree in TREES.items() for text in strings(tree)]
    said += [(path, line) for path, text in TEXTS.items() for line in text.splitlines()]
    wrong, seen = [], 0
    for path, text in said:
        for name, words in (found for line in text.splitlines() for found in COMMAND.findall(line)):
            for flag in FLAG.findall(words):
                seen += 1
                if f"--{flag}" not in FLAGS.get(name, ()):
                    wrong.append(f"{path.relative_to(SOURCE)}: hf-llm {name} has no --{flag}")
    assert wrong == []
    assert seen > 50


def test_the_help_of_a_setting_names_flags_of_its_command():
    for name, kind in CLASSES.items():
        for field in dataclasses.fields(kind):
            for flag in FLAG.findall(without_commands(field.metadata.get("help", ""))):
                assert f"--{flag}" in FLAGS[name], (name, field.name, flag)


@pytest.fixture
def under(monkeypatch):
    """Return a function that lets a command be the one that runs in this process."""

    def under(name: str) -> None:
        monkeypatch.setattr("hf_llm.config.ways_out._flags", FlagParser(CLASSES[name], {}, None).ways)

    return under


@pytest.mark.parametrize(
    ("command", "in_use", "unreadable"),
    [
        ("pretrain", "wait for it or stop it; or name another --output_dir", "start anew with --restart"),
        ("train_tokenizer", "wait for it or stop it; or name another --output_dir", "copy or make the run again"),
        ("hub pull", "wait for it or stop it; or name another DIR", "copy or make the run again"),
        ("verify", "wait for it or stop it", "copy or make the run again"),
        ("demo", "wait for it or stop it", "copy or make the run again"),
        ("app", "wait for it or stop it", "copy or make the run again"),
    ],
)
def test_the_same_fault_below_several_commands(under, tmp_path, command, in_use, unreadable):
    under(command)
    with hold(tmp_path), pytest.raises(UserError) as refused, hold(tmp_path):
        pass
    assert str(refused.value).endswith(f"process; {in_use}")
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UserError, match=rf"; {unreadable}$"):
        read_manifest(tmp_path)


def test_from_python_every_setting_can_be_given():
    assert advice(output_dir="name another {}") == "; name another output_dir"
    assert written("restart") == "restart"
    assert has("anything")


def test_a_smaller_training_is_advised_as_flags_of_a_command_that_has_them(under):
    from hf_llm.planning.smaller import as_flags

    under("demo")
    assert not has("n_positions")
    under("plan")
    assert has("n_positions", "gradient_checkpointing")
    assert set(FLAG.findall(as_flags({"gradient_checkpointing": True, "n_positions": 64}))) <= SETTINGS


def test_a_place_and_a_flag(under):
    under("hub pull")
    assert (written("dir"), written("revision")) == ("DIR", "--revision")
    under("verify")
    assert advice("copy it", output_dir="name another {}") == "; copy it"
    assert advice(output_dir="name another {}") == ""


def test_the_parser_is_asked_before_the_settings_are_checked():
    from hf_llm.config import parse
    from hf_llm.hub.config import PushConfig

    with pytest.raises(UserError, match="leave out --revision"):
        parse(PushConfig, ["run", "me/run", "--create_pr", "--revision", "draft"])
    with pytest.raises(UserError, match="set --hub_model_id owner/name"):
        parse(ClassifierConfig, ["--push_to_hub"])
