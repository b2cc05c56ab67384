"""Settings from YAML and flags: who overrides whom, what is refused, and the sentence that says so."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from hf_llm.config import UserError, load_yaml, parse, require


def setting(help: str = "a setting", **default):
    return field(metadata={"help": help}, **default)


@dataclass
class Bread:
    flour: str = setting("rye, or wheat with 10 % bran")
    minutes: int = setting("time in the oven", default=45)
    salt: float = setting("share of the flour", default=0.02)
    steam: bool = setting("water in the oven", default=False)
    crust: bool = setting("bake it dark", default=True)
    rest_minutes: int | None = setting("a pause before baking", default=None)
    starter: str | None = setting("a folder", default=None)
    seeds: list[str] = setting("what goes on top", default_factory=list)
    weights: list[int] = setting("grams of each loaf", default_factory=lambda: [500, 750])
    shape: Literal["round", "long", "tin"] = setting("of the loaf", default="round")
    cuts: list[Literal["cross", "line"]] = setting("in the crust", default_factory=list)

    def __post_init__(self):
        require(self.minutes > 0, f"minutes must be greater than 0, not {self.minutes}")


@pytest.fixture
def bake(tmp_path):
    """Return a function: the text of a YAML file and flags in, the settings out."""

    def bake(text: str, *flags: str) -> Bread:
        file = tmp_path / "bread.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return parse(Bread, ["--config", str(file), *flags])

    return bake


def refusal(call, *arguments) -> str:
    """Return the sentence of the `UserError` that the call raises."""
    with pytest.raises(UserError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_yaml_sets_defaults_and_flags_override(bake):
    bread = bake("flour: rye\nminutes: 50\nsteam: true\nseeds: [poppy]\n", "--minutes", "55")
    assert bread == Bread("rye", minutes=55, steam=True, seeds=["poppy"])


def test_a_flag_before_the_file_overrides_it_too(tmp_path):
    file = tmp_path / "bread.yaml"
    file.write_text("flour: rye\nminutes: 50\n")
    assert parse(Bread, ["--minutes", "55", f"--config={file}"]).minutes == 55


def test_without_a_file(monkeypatch):
    monkeypatch.setattr("sys.argv", ["bake.py", "--flour", "rye"])
    assert parse(Bread) == Bread("rye")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("salt: 1e-3", "salt", 0.001),  # a text, to PyYAML
        ("salt: 1", "salt", 1.0),
        ("minutes: 010", "minutes", 10),  # 8, to PyYAML
        ("starter: no", "starter", "no"),  # false, to PyYAML
        ("starter: 2024-05-01", "starter", "2024-05-01"),  # a date, to PyYAML
        ("starter: '12'", "starter", "12"),
        ("starter: null", "starter", None),
        ("starter:", "starter", None),
        ("rest_minutes: ~", "rest_minutes", None),
        ("rest_minutes: 5", "rest_minutes", 5),
        ("steam: yes", "steam", True),
        ("crust: False", "crust", False),
        ("seeds: []", "seeds", []),
        ("seeds: [poppy, 1]", "seeds", ["poppy", "1"]),
        ("weights:\n- 1\n- 2", "weights", [1, 2]),
        ("shape: tin", "shape", "tin"),
        ("# only a comment", "minutes", 45),
    ],
)
def test_the_field_decides_the_type(bake, line, name, value):
    read = getattr(bake(f"flour: rye\n{line}\n"), name)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("minutes: 1.5", "minutes must be a whole number, not '1.5'"),
        ("minutes: true", "minutes must be a whole number, not 'true'"),
        ("minutes: .inf", "minutes must be a whole number, not '.inf'"),
        ("minutes: [1]", "minutes must be a single value, not a list or a mapping"),
        ("minutes: {a: 1}", "minutes must be a single value, not a list or a mapping"),
        ("minutes:", "minutes has no value; write one, or leave the line out to take the default"),
        ("salt: much", "salt must be a number, not 'much'"),
        ("salt: nan", "salt must be a number, not 'nan'"),
        ("salt: true", "salt must be a number, not 'true'"),
        ("steam: 2", "steam must be true or false, not '2'"),
        ("seeds: poppy", "seeds must be a list, like [a, b]"),
        ("weights: [1, x]", "weights must be a whole number, not 'x'"),
        ("shape: rund", "shape must be one of round, long, tin, not 'rund', did you mean 'round'?"),
        ("shape: TIN", "shape must be one of round, long, tin, not 'TIN', did you mean 'tin'?"),
        ("minute: 3", "unknown key 'minute', did you mean 'minutes'?"),
        ("oven: 3", "unknown key 'oven'; --help lists all"),
        ("flour: wheat", "flour is already set on line 1; keep one of the two"),
        ("\tminutes: 3", "is not YAML: while scanning for the next token, found character '\\t'"),
        ("seeds: [poppy", "is not YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("---\nflour: wheat", "is not YAML: expected a single document"),
    ],
)
def test_a_bad_line_is_named(bake, tmp_path, line, sentence):
    message = refusal(bake, f"flour: rye\n{line}\n")
    place, _, rest = message.partition(", line ")
    assert place == str(tmp_path / "bread.yaml")
    assert sentence in rest
    assert rest.startswith("2:") or "not YAML" in rest  # a mistake of form may show only on a later line


def test_the_class_refuses_a_value_from_yaml(bake):
    assert refusal(bake, "flour: rye\nminutes: -1\n") == "minutes must be greater than 0, not -1"


@pytest.mark.parametrize("text", ["", "# nothing\n", "just words", "- flour\n- salt\n", "? [a, b]\n: c\n"])
def test_a_file_of_another_form(bake, text):
    assert "must hold lines of the form 'name: value'" in refusal(bake, text)


@pytest.mark.parametrize("content", [b"flour: caf\xe9\n", b"flour: \x00\n"], ids=["latin-1", "binary"])
def test_a_file_that_is_no_text(bake, content):
    assert "bread.yaml cannot be read" in refusal(bake, content)


def test_utf16_is_read_by_its_byte_order_mark(bake):
    """What PowerShell's > writes."""
    assert bake("flour: rye\n".encode("utf-16")).flour == "rye"


def test_a_message_repeats_a_little_of_a_file_however_much_there_is(bake):
    for text in ("minutes: " + "x" * 171_000, "minutes" * 100 + ": 1", "flour: " + "[" * 3000):
        assert len(refusal(bake, text)) < 400


def test_a_byte_order_mark_is_no_part_of_the_first_name(bake):
    assert bake("\ufeffflour: rye\n").flour == "rye"


def test_a_missing_file_and_a_folder(tmp_path):
    missing = tmp_path / "no.yaml"
    assert f"{missing} does not exist" in refusal(parse, Bread, ["--config", str(missing)])
    assert f"{tmp_path} cannot be read: " in refusal(parse, Bread, ["--config", str(tmp_path)])


def test_the_file_is_given_once_and_by_name(tmp_path):
    words = ["--config", "a.yaml", "--config=b.yaml"]
    assert "--config is given 2 times" in refusal(parse, Bread, words)
    assert "--config: expected one argument" in refusal(parse, Bread, ["--config"])


def test_a_required_field_comes_from_either_side(bake):
    assert bake("flour: rye\n").flour == "rye"
    assert bake("minutes: 3\n", "--flour", "rye").flour == "rye"
    assert "required: --flour" in refusal(bake, "minutes: 3\n")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--minutes", "1.5"], "argument --minutes: must be a whole number, not '1.5'; see --help"),
        (["--minutes"], "argument --minutes: expected one argument; see --help"),
        (["--steam", "perhaps"], "argument --steam: must be true or false, not 'perhaps'; see --help"),
        (["--shape", "rund"], "--shape: must be one of round, long, tin, not 'rund', did you mean 'round'?"),
        (["--minuets", "3"], "unknown argument '--minuets', did you mean '--minutes'?"),
        (["--minuets=3"], "unknown argument '--minuets=3', did you mean '--minutes'?"),
        (["--rest-minutes", "3"], "unknown argument '--rest-minutes', did you mean '--rest_minutes'?"),
        (["--minute", "3"], "unknown argument '--minute', did you mean '--minutes'?"),  # no abbreviations
        (["--no_stem"], "unknown argument '--no_stem'"),
        (["--oven", "3"], "unknown argument '--oven'; see --help"),
        (["wheat"], "unknown argument 'wheat'; see --help"),
        (["--minutes", "0"], "minutes must be greater than 0, not 0"),
    ],
)
def test_a_bad_flag(flags, sentence):
    message = refusal(parse, Bread, ["--flour", "rye", *flags])
    assert sentence in message
    assert message.endswith(("?", "--help", "not 0"))


def test_flags_of_truth_and_lists(bake):
    file = "flour: rye\nsteam: true\ncrust: false\nseeds: [poppy]\n"
    assert bake(file).crust is False
    assert bake(file, "--crust").crust is True
    assert bake(file, "--steam", "false").steam is False
    assert bake("flour: rye\n", "--no_crust").crust is False
    assert bake(file, "--seeds").seeds == []
    assert bake("flour: rye\ncuts: [line, cross]\n").cuts == ["line", "cross"]
    assert "one of cross, line, not 'lin'" in refusal(bake, file, "--cuts", "line", "lin")
    assert bake(file, "--seeds", "flax", "oat", "--weights", "5").seeds == ["flax", "oat"]


def test_help_tells_meaning_and_default(bake, capsys):
    with pytest.raises(SystemExit) as exit:
        parse(Bread, ["--help"], description="Bake a loaf.\n\n    bake.py --flour rye   # 100 % of it")
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    assert exit.value.code == 0
    assert "\n    bake.py --flour rye   # 100 % of it\n" in printed  # as written, not flowed into a paragraph
    assert "--flour TEXT rye, or wheat with 10 % bran (required)" in words
    assert "--minutes INT time in the oven (default: 45)" in words
    assert "--rest_minutes INT a pause before baking (default: none)" in words
    assert "--steam [true|false] water in the oven (default: false)" in words
    assert "--no_crust the same as --crust false" in words
    assert "--weights [INT ...] grams of each loaf (default: 500 750)" in words
    assert "--shape {round,long,tin} of the loaf (default: round)" in words
    assert "--config FILE" in words
    assert "--rest-minutes" not in words


def test_help_with_a_file_tells_its_values(bake, capsys):
    with pytest.raises(SystemExit):
        bake("flour: rye\nminutes: 50\n", "--help")
    words = " ".join(capsys.readouterr().out.split())
    assert "10 % bran (default: rye)" in words
    assert "time in the oven (default: 50)" in words


def test_load_yaml_returns_only_what_the_file_sets(tmp_path):
    file = tmp_path / "bread.yaml"
    file.write_text("salt: 3e-2\n")
    assert load_yaml(Bread, file) == {"salt": 0.03}


@dataclass
class Check:
    run: str = field(metadata={"help": "a folder", "positional": True})
    kind: Literal["quick", "full"] = field(default="quick", metadata={"help": "how", "positional": True})
    strict: bool = setting(default=False)


def test_fields_that_are_given_by_their_place(tmp_path, capsys):
    assert parse(Check, ["runs/a"]) == Check("runs/a")
    assert parse(Check, ["--strict", "true", "runs/a", "full"]) == Check("runs/a", "full", True)
    (tmp_path / "check.yaml").write_text("run: runs/b\nkind: full\n")
    assert parse(Check, ["--config", str(tmp_path / "check.yaml")]) == Check("runs/b", "full")
    assert refusal(parse, Check, []) == "the following arguments are required: RUN; see --help"
    assert "KIND: must be one of quick, full, not 'ful', did you mean 'full'?" in refusal(parse, Check, ["a", "ful"])
    assert refusal(parse, Check, ["a", "full", "b"]) == "unknown argument 'b'; see --help"
    with pytest.raises(SystemExit):
        parse(Check, ["--help"])
    printed = capsys.readouterr().out
    assert " RUN KIND [--config FILE]" in printed.splitlines()[0]
    assert "RUN a folder (required)" in " ".join(printed.split())
