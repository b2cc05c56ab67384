"""Every page in a real browser: both languages, wide and narrow, light and dark, without a fault."""

import pytest

from hf_llm.app.pages.inside.answers import PARTS
from hf_llm.app.server.build import PAGES

PATHS = ["" if page == "home" else page for page in PAGES]


@pytest.mark.parametrize("lang", ["pt-BR", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_well(watch, path, lang):
    seen = watch(1280, "light")
    seen.open(path, lang)
    assert seen.page.evaluate("document.documentElement.lang") == lang
    contrast = {"runOnly": ["color-contrast"]}  # of the rules the one that colours decide, and the longest
    for scheme in ("light", "dark"):  # one opening for all: it takes most of the time
        seen.page.emulate_media(color_scheme=scheme)
        for width, height in ((1280, 900), (390, 844)):
            seen.page.set_viewport_size({"width": width, "height": height})
            seen.settle(150)  # nothing is asked of the server
            assert seen.page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
            problems = seen.problems(**(contrast if scheme == "dark" else {}))
            assert problems == [], f"{scheme}, {width} px wide"


FAULTS = {  # each goes into the page, and what the checks must then say
    "document.body.insertAdjacentHTML('beforeend', '<div style=width:3000px>x</div>')": "px wide",
    "document.body.insertAdjacentHTML('beforeend', '<p>tokenizer.no_such_text</p>')": "untranslated",
    "console.error('another fault')": "console error",
    "document.body.insertAdjacentHTML('beforeend', '<div class=toast-body>a fault</div>')": "error: a fault",
    "fetch('http://192.0.2.1/x').catch(() => {})": "another host",
    "document.body.insertAdjacentHTML('beforeend', '<button></button>')": "button-name",
    "document.querySelector('.navigation span:lang(en)').style.cssText = 'color: #ccc'": "contrast",
}


def test_the_checks_find_each_fault(watch):
    seen = watch(bypass_csp=True)  # the security policy would stop the fetch before it is a request
    seen.open("train", "en")  # the page with the least on it; opened once, since that takes most of the time
    for fault, found in FAULTS.items():
        assert not any(found in problem for problem in seen.problems())
        seen.page.evaluate(f"() => {{ {fault} }}")
        seen.page.wait_for_timeout(300)
        assert any(found in problem for problem in seen.problems()), fault


def test_the_security_policy_stops_a_request_to_another_host(watch):
    seen = watch()
    seen.open("", "en")
    seen.page.evaluate("() => fetch('http://192.0.2.1/x').catch(() => {})")
    seen.page.wait_for_timeout(300)
    assert any("Content Security Policy" in error for error in seen.errors)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_inside_is_well(watch, part):
    seen = watch(390, "dark")
    seen.open("inside", "pt-BR", part=part)
    assert seen.problems() == []


def test_an_answered_question_is_well(watch):
    seen = watch(390)
    seen.open("discussion", "pt-BR", question="L31")
    seen.page.get_by_role("button", name="Ver a resposta").click()
    seen.page.get_by_text("Primeiro a sua previsão").wait_for()
    seen.page.get_by_label("Outra coisa; escrevo abaixo").check()
    seen.page.get_by_label("Por quê? Explique com as suas palavras").fill("<b>acho</b>")
    seen.page.get_by_role("button", name="Ver a resposta").click()
    seen.page.get_by_text("O que os dados dizem").wait_for()
    seen.settle()
    assert seen.problems() == []
