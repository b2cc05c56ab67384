import pytest

from hf_llm.runs.log import EMPTY, RunLog


@pytest.fixture
def log(tmp_path) -> RunLog:
    log = RunLog(tmp_path / "log.jsonl")
    for step in (1, 2):
        log.append({"step": step, "sample": f"olá \u2028 \x85 {step}"})
    return log


def steps(log: RunLog) -> list[int]:
    return [record["step"] for record in log.records()]


def test_lines_survive_separators_that_are_no_line_ends(log):
    assert [record["sample"] for record in log.records()] == ["olá \u2028 \x85 1", "olá \u2028 \x85 2"]


@pytest.mark.parametrize("tail", [b'{"step": 3}\n{"step": 4', b'{"step": 3, "sample": "ol\xc3', b"\x00\x00\x00", b"\n"])
def test_cut_takes_what_came_after_the_mark(log, tail, caplog):
    mark, before = log.mark(), log.path.read_bytes()
    with open(log.path, "ab") as file:
        file.write(tail)
    log.cut(mark)
    assert log.path.read_bytes() == before
    assert not caplog.records


def test_cut_to_empty_also_where_there_is_no_log(tmp_path):
    log = RunLog(tmp_path / "log.jsonl")
    log.cut(EMPTY)
    assert log.path.read_bytes() == b""
    assert log.mark() == EMPTY


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-9], lambda content: content.replace(b"1", b"7", 1), lambda _: b""]
)
def test_a_log_that_lost_lines_before_the_mark_gets_a_warning(log, caplog, damage):
    mark = log.mark()
    log.path.write_bytes(damage(log.path.read_bytes()))
    log.cut(mark)
    assert "changed or cut" in caplog.text
    assert log.path.read_bytes()[-1:] in (b"", b"\n")  # so that the next line stands alone
    log.append({"step": 3})
    assert steps(log)[-1] == 3


def test_a_line_that_is_being_written_is_left_out(log):
    with open(log.path, "ab") as file:
        file.write(b'{"step": 3, "sam')
    assert steps(log) == [1, 2]


def test_a_damaged_line_is_named(log, caplog):
    with open(log.path, "ab") as file:
        file.write(b'{"step"\n{"step": 4}\n')
    assert steps(log) == [1, 2, 4]
    assert "line 3" in caplog.text
