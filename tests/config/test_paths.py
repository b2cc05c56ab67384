"""What a name of a file or folder means: `~`, a home folder that is missing, links, names that are no UTF-8."""

import dataclasses
import importlib
import os
import pkgutil
import typing
from dataclasses import dataclass
from pathlib import Path

import pytest

import hf_llm
from hf_llm.config import PLACES, UserError, last_name, library_folder, load_yaml, parse, setting, user_path
from hf_llm.data.search import search_folders, user_cache

posix = pytest.mark.skipif(os.name != "posix", reason="HOME and links are POSIX's")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "ana"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "ana"))
    return tmp_path / "ana"


@pytest.fixture(params=["unset", "empty"])
def no_home(request, monkeypatch) -> None:
    """No home folder: HOME says nothing, and the list of users has no entry."""
    if os.name != "posix":
        pytest.skip("HOME is POSIX's")
    import pwd

    def no_entry(who):
        raise KeyError(who)

    monkeypatch.delenv("HOME") if request.param == "unset" else monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", no_entry)


@dataclass
class Job:
    output_dir: str = setting("runs/x", "a folder")
    files: list[str] = setting([], "files")
    prompt: str = setting("", "a text")


def test_a_tilde_is_the_home_folder_in_a_flag_in_its_other_form_and_in_yaml(home, tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text("output_dir: ~/run\nfiles: [~/a, b]\nprompt: ~/no path\n", encoding="utf-8")
    expected = Job(str(home / "run"), [str(home / "a"), "b"], "~/no path")
    assert Job(**load_yaml(Job, file)) == expected
    assert parse(Job, ["--output_dir", "~/run", "--files", "~/a", "b", "--prompt", "~/no path"]) == expected
    assert parse(Job, ["--output_dir=~/run", "--files", "~/a", "b", "--prompt=~/no path"]) == expected
    file.rename(tmp_path / "ana.yaml")
    home.mkdir()
    (tmp_path / "ana.yaml").rename(home / "job.yaml")
    assert parse(Job, ["--config", "~/job.yaml"]) == expected


def test_only_a_tilde_alone_is_the_home_folder(home):
    assert user_path("~") == home
    assert user_path("~x-nobody/a") == Path("~x-nobody/a")
    assert user_path("a/~/b") == Path("a/~/b")


def test_without_a_home_folder_a_tilde_is_refused_and_no_folder_is_called_so(no_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"~/run: there is no home folder"):
        user_path("~/run")
    with pytest.raises(UserError, match=r"--output_dir: ~/run: there is no home folder"):
        parse(Job, ["--output_dir=~/run"])
    assert list(tmp_path.iterdir()) == []


def test_without_a_home_folder_data_is_looked_for_elsewhere(no_home, monkeypatch):
    monkeypatch.setenv("HF_LLM_DATA_DIR", "/data")
    assert user_cache() is None
    assert search_folders() == [Path("/data"), Path("data")]


def test_the_environments_folders_may_have_a_tilde(home, monkeypatch):
    monkeypatch.setenv("HF_LLM_DATA_DIR", "~/data")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/cache")
    assert search_folders() == [home / "data", Path("data"), home / "cache" / "hf_llm"]


def test_no_name_is_not_this_folder():
    for read in (user_path, library_folder):
        with pytest.raises(UserError, match="is empty"):
            read("")


@posix
def test_a_link_is_followed_and_one_to_nowhere_is_refused(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    assert library_folder(tmp_path / "link") == tmp_path / "far"
    assert library_folder(tmp_path / "link" / "run") == tmp_path / "link" / "run"  # its siblings lie beside it already
    (tmp_path / "far").rmdir()
    with pytest.raises(UserError, match=r"link is a link to .*far, which is not there; connect that disk"):
        library_folder(tmp_path / "link")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(UserError, match="leads in a circle"):
        library_folder(tmp_path / "circle")


@posix
def test_a_name_that_is_no_utf_8_is_one_sentence_where_libraries_would_stumble():
    with pytest.raises(UserError, match=r"the name b'runs/caf\\xe9' is not UTF-8"):
        library_folder("runs/caf\udce9")
    assert user_path("caf\udce9.txt") == Path("caf\udce9.txt")  # we read such a file ourselves


@pytest.mark.parametrize(
    ("path", "name"),
    [("/home/ana/x.txt", "x.txt"), ("/home/ana/runs/", "runs"), ("x.txt", "x.txt"), ("me/verdict", "me/verdict"),
     (r"C:\Users\ana\x.txt", "x.txt"), ("~/x.txt", "~/x.txt"), ("/", "/")],
)  # fmt: skip
def test_of_an_absolute_path_others_see_the_last_name(path, name):
    assert last_name(path) == name


def test_every_setting_that_names_a_place_is_known_as_one():
    """By its help: a new setting for a folder must not be one that takes `~` for a name."""
    places = set()
    for module in pkgutil.walk_packages(hf_llm.__path__, "hf_llm."):
        if not (module.name.endswith("config") or ".commands." in module.name):
            continue
        for found in vars(importlib.import_module(module.name)).values():
            if dataclasses.is_dataclass(found) and isinstance(found, type):
                hints = typing.get_type_hints(found)
                places |= {
                    field.name
                    for field in dataclasses.fields(found)
                    if "str" in repr(hints[field.name])
                    and {"folder", "folders", "file"} & set(field.metadata.get("help", "").lower().split())
                }
    assert places - {"document_separator"} <= set(PLACES)
    assert len(places) >= 10
