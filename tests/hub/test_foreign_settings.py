"""Pulling by the rule about foreign code: what loading refuses does not come down either."""

import pytest
from foreign_settings import NAMED, REFUSED
from hostile_case import settings as with_settings
from test_pull import RUN, nothing_left, read
from test_push import refused, succeeded


def publish(hub, runs, file: str, settings: dict) -> str:
    """Put the run's files on the Hub with other settings in one of them, and return the commit."""
    files = read(runs / "verdict", RUN) | {"strange.py": b"raise SystemExit", "optimizer.pt": b""}
    return hub.create("evil/model", with_settings(files, file, **settings)).branches["main"]


@pytest.mark.parametrize(("file", "settings", "message"), REFUSED.values(), ids=REFUSED)
def test_what_reaches_outside_of_the_model_is_refused_even_when_trusted(
    hub, scripts, runs, tmp_path, file, settings, message
):
    commit = publish(hub, runs, file, settings)
    for words in ((), ("--trust_remote_code", "--revision", commit)):
        said = refused(scripts("hub.py", "pull", "evil/model", tmp_path / "pulled", *words))
        assert file in said
        assert message in said
    assert nothing_left(tmp_path)
    assert not any("/objects/" in path for _, path, _ in hub.requests)  # the weights were not even fetched


@pytest.mark.parametrize(("file", "settings"), NAMED.values(), ids=NAMED)
def test_code_comes_down_only_when_asked_for(hub, scripts, runs, tmp_path, file, settings):
    commit = publish(hub, runs, file, settings)
    said = refused(scripts("hub.py", "pull", "evil/model", tmp_path / "pulled"))
    assert "brings Python code of its own (strange." in said
    assert nothing_left(tmp_path)
    words = ("--trust_remote_code", "--revision", commit)
    succeeded(scripts("hub.py", "pull", "evil/model", tmp_path / "pulled", *words))
    assert (tmp_path / "pulled" / "strange.py").is_file()
