"""With which model a page opens: in Portuguese with one that learned Portuguese, else with the newest."""

import pytest
from two_models import copy_two_models

from hf_llm.app.config import AppConfig
from hf_llm.app.page import App
from hf_llm.app.pages.generate.answers import EXAMPLES, VERDICT, example
from hf_llm.app.pages.tokenizer.answers import available, tokenize
from hf_llm.app.server.build import build, warm_up

SENTENCE = "O gato que estava no quarto do apartamento 3 foi encontrado ontem."


@pytest.fixture(scope="module")
def both_models(runs, tmp_path_factory):
    """The app on two models, the older of which learned Portuguese."""
    folder = tmp_path_factory.mktemp("two")
    copy_two_models(runs, folder)
    return build(AppConfig(runs=str(folder), requests_per_minute=0))


@pytest.fixture(scope="module")
def two(both_models) -> App:
    return both_models[1]


def opened(both_models, path: str, lang: str, query: str = "") -> dict[str, object]:
    """Return what the page's controls are set to when it is opened, {label's key or label: value}."""
    blocks = both_models[0]
    restores = [fn for fn in blocks.fns.values() if getattr(fn.fn, "__name__", "") == "_restore"]
    page = next(fn for fn in restores if fn.fn.__self__.name == path)
    _, _, *updates = page.fn(query, lang)
    return dict(zip(page.fn.__self__._controls, (update.get("value") for update in updates)))


@pytest.mark.parametrize("path", ["inside", "generate"])
@pytest.mark.parametrize(("lang", "first"), [("pt-BR", "casmurro"), ("pt", "casmurro"), ("en", "newer")])
def test_a_page_opens_with_a_model_of_the_readers_language(both_models, path, lang, first):
    assert opened(both_models, path, lang)["model"] == first
    assert opened(both_models, path, lang, "?model=newer")["model"] == "newer"


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
def test_every_page_with_settings_opens(both_models, lang):
    pages = {fn.fn.__self__.name for fn in both_models[0].fns.values() if getattr(fn.fn, "__name__", "") == "_restore"}
    assert {"inside", "generate", "mnist", "discussion"} <= pages
    for path in pages:
        opened(both_models, path, lang)


def test_the_model_to_compare_with_is_another(both_models):
    assert opened(both_models, "generate", "pt-BR")["other"] == "newer"
    assert opened(both_models, "generate", "en")["other"] == "casmurro"


def test_the_text_suits_the_model(both_models, two, app):
    assert example(two, "pt-BR") == EXAMPLES["dom-casmurro"]
    assert example(two, "en") == example(app, "pt-BR") == VERDICT
    assert opened(both_models, "generate", "pt-BR")["text"] == EXAMPLES["dom-casmurro"].prompt
    assert opened(both_models, "generate", "pt-BR", "?text=Ol%C3%A1")["text"] == "Olá"


def test_the_sentence_of_the_lecture_is_read_first_by_a_tokenizer_that_knows_portuguese(two):
    assert available(two)[0] == "casmurro"
    assert tokenize(two, SENTENCE)[0]["tokenizer"] == "casmurro"


def test_the_first_models_of_both_languages_are_loaded_before_they_are_asked_for(two):
    two.opened.set()
    warm_up(two)
    assert len(two.library._loaded) == 2
