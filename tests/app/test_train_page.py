"""The page that trains: the command it makes, what it shows of a run, and the message of one that diverged."""

import json
import shutil
import time

import pytest

from hf_llm.app.config import AppConfig
from hf_llm.app.page import App
from hf_llm.app.pages.home import answers as home
from hf_llm.app.pages.train import answers as train
from hf_llm.app.pages.train import recipe as train_recipe
from hf_llm.app.pages.train import views as train_views
from hf_llm.app.server.library import Library
from hf_llm.app.server.trainings import Trainings
from hf_llm.config import UserError, parse
from hf_llm.data import MissingData
from hf_llm.runs.atomic import write_json
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import interval, number
from hf_llm.training.config import PretrainConfig


@pytest.fixture
def own_app(tmp_path) -> App:
    """An app with no model yet."""
    config = AppConfig(runs=str(tmp_path), training_steps=600, max_characters=1000)
    app = App(config, Library(tmp_path, []), Trainings(tmp_path, at_once=1, seconds=600), ("home", "train", "generate"))
    yield app
    app.trainings.shutdown()


@pytest.fixture
def finished(own_app, runs) -> str:
    """The name of a training in the page that an earlier process of the app finished."""
    shutil.copytree(runs / "story", own_app.trainings.folder / "gpt2-abcdef")
    record = {"command": ["pretrain"], "state": "running", "seconds": 12.0}
    (own_app.trainings.folder / ".inputs" / "gpt2-abcdef").mkdir(parents=True)
    write_json(own_app.trainings.folder / ".inputs" / "gpt2-abcdef" / "training.json", record)
    return "page/gpt2-abcdef"


def show(app: App, run: str, **seen) -> train.Shown:
    return train.show(app, run=run, **seen, lang="pt-BR")


def chosen(name: str = "demo", **changes) -> dict:
    return train_recipe.preset_values(name, 600) | {"corpus": "sample"} | changes


def parsed(command: list[str], monkeypatch) -> PretrainConfig:
    return parse(PretrainConfig, command[1:])


def test_the_demo_is_the_recipe_itself(own_app):
    values = chosen(corpus=train_recipe.recipe().corpus)
    command, files = train_recipe.training_command(own_app, {**values, "corpus": "sample"}, "")
    assert command == ["pretrain", "--config", train_recipe.RECIPE, "--corpus", "sample",
                       "--logging_steps", "5"]  # fmt: skip
    assert files == {}


@pytest.mark.parametrize("name", train_recipe.PRESETS)
def test_the_script_takes_the_command_of_each_preset(own_app, name, monkeypatch):
    values = chosen(name)
    command, _ = train_recipe.training_command(own_app, values, "")
    config = parsed(command, monkeypatch)
    assert {setting: getattr(config, setting) for setting in values} == values
    *shown, reason = train.choose(own_app, preset=name, lang="pt-BR")
    assert shown == list(train_recipe.preset_values(name, 600).values())
    assert reason


def test_a_preset_keeps_within_the_app(own_app):
    assert train_recipe.preset_values("demo", 20)["max_steps"] == 20


def test_a_text_of_the_reader_becomes_a_file(own_app, monkeypatch):
    command, files = train_recipe.training_command(own_app, chosen(corpus="own"), "Era uma vez")
    assert files == {"text.txt": "Era uma vez"}
    assert command[command.index("--corpus") + 1] == "{text.txt}"
    assert parsed(command, monkeypatch).eval_stride == 32  # every token by itself takes minutes on a long text


@pytest.mark.parametrize("prompt", ["--restart", "{text.txt}", "$(x) `y` \"'", "a\0b", "<img src=x>", "é ${1}"])
def test_a_hostile_prompt_is_only_a_prompt(own_app, prompt, monkeypatch):
    command, _ = train_recipe.training_command(own_app, chosen(sample_prompt=prompt), "")
    config = parsed(command, monkeypatch)
    assert config.sample_prompt == prompt.replace("\0", "")
    assert config.restart is False


@pytest.mark.parametrize(
    ("changes", "own", "said"),
    [
        ({"max_steps": 601}, "", "Passos: escolha um valor de 1 a 600"),
        ({"learning_rate": float("nan")}, "", "Taxa de aprendizado"),
        ({"dropout": None}, "", "Dropout"),
        ({"vocab_size": "400"}, "", "Tamanho do vocabulário"),
        ({"corpus": "/etc/passwd"}, "", "the-verdict, sample, own"),
        ({"model": "xl"}, "", "nano, micro, mini"),
        ({"warmup_steps": 50}, "", "Aquecimento (warmup): escolha um valor de 0"),
        ({"sample_prompt": "a" * 201}, "", "200"),
        ({"corpus": "own"}, "  ", "Escreva um texto"),
        ({"corpus": "own"}, "a" * 10_001, "10.000"),
        ({"corpus": "own"}, "a\ud800", "substituto"),
    ],
)
def test_what_cannot_be_is_refused_in_the_readers_language(own_app, changes, own, said):
    with pytest.raises(UserError) as refused:
        train.begin(own_app, **chosen(**changes), own=own, title="", owner="", lang="pt-BR")
    assert said in refused.value.in_language("pt-BR")
    assert not own_app.trainings.folder.exists()


def test_the_loops_own_error_message_reaches_the_page(own_app):
    values = chosen("exploding", model="nano", n_positions=32, vocab_size=300, bpe_dropout=0.0)
    name, _, owner = train.begin(own_app, **values, own="", title="Ana", owner="", lang="pt-BR")
    assert "gpt2-ana-20" in name
    running = show(own_app, name, owner=owner)
    assert running.timer["active"] is True
    assert (running.pause["interactive"], running.resume["interactive"]) == (True, False)
    assert 'role="status"' not in running.status  # a tick is not read aloud
    end = time.monotonic() + 120
    while own_app.trainings.get(name).state == "running":
        assert time.monotonic() < end
        time.sleep(0.05)
    shown = show(own_app, name, owner=owner, seen=running.seen)
    assert "deixou de ser um número" in shown.status
    assert "the loss is no longer a finite number" in shown.status
    assert "lower learning_rate (now 100)" in shown.status
    assert shown.timer["active"] is False
    assert "--learning_rate 100" in shown.command
    losses = [record["loss"] for record in own_app.trainings.get(name).records()]
    assert losses[-1] > 1000 * losses[0]  # what the reason of the preset says
    assert shown.curves.count("<figure") == 2  # one evaluation makes no curve


def test_a_finished_training_is_found_again_with_all_that_came_out(own_app, finished):
    shown = show(own_app, finished)
    bits = read_manifest(own_app.library.folder(finished))["metrics"]["validation"]["bits_per_byte"]
    assert f"{bits:.3f}".replace(".", ",") in shown.status
    assert f"./generate?model={finished}" in shown.status
    assert "<table" in shown.curves
    assert "O que o modelo escreve" in shown.samples
    assert (shown.timer["active"], shown.pause["interactive"], shown.stop["interactive"]) == (False, False, False)
    assert 'href="./download/gpt2-abcdef.zip"' in shown.download
    for run, last, found in (("", finished, finished), ("page/other", finished, "page/other"), ("", "page/gone", "")):
        assert train.find_again(own_app, run=run, last=last, lang="en") == found


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_the_models_figure_stands_beside_those_that_need_no_net(own_app, finished, lang):
    metrics = read_manifest(own_app.library.folder(finished))["metrics"]
    drawn = {"train": train.show(own_app, run=finished, lang=lang).status}
    drawn["home"] = home.show(own_app, last="", lang=lang)[0]
    best, beside = metrics["validation"], metrics["baselines"]
    figures = [best["bits_per_byte"], *(beside[who]["bits_per_byte"] for who in ("ngram", "compressor"))]
    cells = [*(number(figure, lang) for figure in figures), interval(best["bits_per_byte_interval_95"], lang, ".4g")]
    for page in drawn.values():
        assert all(f"<td>{cell}</td>" in page for cell in cells)
    assert f"{beside['ngram']['order']}-gram" in drawn["train"]


def test_a_run_of_an_earlier_version_has_nothing_beside_it(own_app, finished):
    path = own_app.library.folder(finished) / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["metrics"]["baselines"], manifest["metrics"]["validation"]["bits_per_byte_interval_95"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    shown = train.show(own_app, run=finished, lang="en").status
    assert "bits per byte on validation" in shown
    assert "<table" not in shown
    assert "<td>–</td>" in home.show(own_app, last="", lang="en")[0]


def test_a_tick_that_brings_nothing_new_redraws_nothing(own_app, finished):
    first = show(own_app, finished)
    again = show(own_app, finished, seen=first.seen)
    assert again.status == first.status
    assert not isinstance(again.curves, str)


def test_a_training_that_is_not_there_is_named(own_app):
    assert "&lt;b&gt;" in show(own_app, "<b>").status
    assert "Nenhum treino" in show(own_app, "").status
    for act in (train.pause, train.resume, train.stop):
        act(own_app, run="page/none", owner="", lang="en")


def test_what_the_model_writes_is_text(own_app, finished):
    with open(own_app.trainings.folder / "gpt2-abcdef" / "log.jsonl", "a") as log:
        log.write('{"step": 7, "loss": 1.0, "sample": "<img src=x>\\n\\n${1}"}\n')
    shown = show(own_app, finished).samples
    assert "&lt;img src=x&gt; ⏎ ${1}" in shown
    assert "<img" not in shown


def test_over_fitting_is_named(monkeypatch):
    def records(*losses):
        return [{"step": i, "loss": loss, "validation_loss": other} for i, (loss, other) in enumerate(losses, start=1)]

    said = train_views._overfitted(records((5.0, 5.0), (4.0, 4.5), (2.0, 6.0)), "en")
    assert "from step 2 to 3" in said
    assert "from 4.00 to 2.00" in said
    assert "from 4.50 to 6.00" in said
    assert train_views._overfitted(records((5.0, 5.0), (4.0, 4.5)), "en") == ""
    assert train_views._overfitted(records((5.0, 5.0), (6.0, 7.0)), "en") == ""  # both rise: that is something else


def test_with_no_model_the_first_page_offers_to_train_one(own_app, monkeypatch):
    _, button, progress, timer = home.show(own_app, last="", lang="en")
    assert "Train the first one" in progress
    assert (button["visible"], timer["active"]) == (True, False)
    started = []

    def start(self, kind, command, owner):
        started.append(command)
        return own_app.config

    monkeypatch.setattr(Trainings, "start", start)
    monkeypatch.setattr(own_app.config, "name", "page/x", raising=False)

    def missing(source):
        raise MissingData("not here")

    monkeypatch.setattr(train_recipe, "find", missing)
    assert home.train_first(own_app, owner="mine", lang="en") == ("page/x", "mine")
    assert started[0][:5] == ["pretrain", "--config", train_recipe.RECIPE, "--corpus", "sample"]
    with pytest.raises(UserError, match="own story"):
        train_recipe.training_command(own_app, chosen(corpus="the-verdict"), "")


def test_with_a_model_the_first_page_leads_on(own_app, finished):
    models, button, progress, timer = home.show(own_app, last=finished, lang="en")
    assert './generate"' in models
    assert progress == ""
    assert (button["visible"], timer["active"]) == (False, False)


def test_a_link_shows_a_training_and_gives_no_hand_in_it(own_app):
    own_app.trainings.at_once = 0  # it waits
    values = chosen()
    name, _, owner = train.begin(own_app, **values, own="", title="", owner="", lang="en")
    mine, theirs = (show(own_app, name, owner=secret) for secret in (owner, ""))
    assert "número 1 de 1" in mine.status == theirs.status
    assert mine.timer["active"] is theirs.timer["active"] is True
    assert (mine.stop["interactive"], theirs.stop["interactive"]) == (True, False)
    for act in (train.pause, train.resume, train.stop):
        for secret in ("", "another", None):
            with pytest.raises(UserError, match="somebody else's"):
                act(own_app, run=name, owner=secret, lang="en")
    assert own_app.trainings.get(name).state == "waiting"
    with pytest.raises(UserError, match="of yours"):
        train.begin(own_app, **values, own="", title="", owner=owner, lang="en")
    train.stop(own_app, run=name, owner=owner, lang="en")
    assert own_app.trainings.get(name).state == "stopped"
    assert owner not in (own_app.trainings.get(name).beside / "training.json").read_text(encoding="utf-8")
