"""A judge that learned from unfair decisions: whom it approves, with names shown, and trained without them."""

from statistics import mean

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import bars
from hf_llm.texts import text

EXPERIMENT, JUDGE = "llm-judge", "history"
HIDDEN = ("nothing_hidden", "name_hidden", "place_hidden")
FINDING = "proxy_leaks"  # what the question asks: the neighbourhood brings part of the gap back


def controls() -> dict:
    hidden = [(t(f"judge.hides.{name}"), name) for name in HIDDEN]
    return {"hidden": gr.Radio(hidden, value=HIDDEN[0], label=t("judge.hidden"))}


def draw(at: At, *, hidden: str) -> Seen:
    """Return the fraction of women and of men that are approved, and the distance for each thing that is hidden."""
    result = at.result(EXPERIMENT)
    rows = [row for row in result.rows("blinding") if row["judge"] == JUDGE]
    approved = {
        name: {who: mean(row[who] for row in rows if row["hidden"] == name) for who in ("women", "men")}
        for name in HIDDEN
    }
    gaps = {name: 100 * (each["men"] - each["women"]) for name, each in approved.items()}
    people = [text(f"judge.{who}", at.lang) for who in approved[hidden]]
    caption = text("judge.approved", at.lang, hidden=text(f"judge.hides.{hidden}", at.lang))
    drawn = bars(people, [100 * share for share in approved[hidden].values()], caption, at.lang, 100.0)
    names = [text(f"judge.hides.{name}", at.lang) for name in HIDDEN]
    drawn += bars(names, [*gaps.values()], text("judge.gaps", at.lang), at.lang)
    why = text("judge.why", at.lang, seen=gaps[HIDDEN[0]], name=gaps[HIDDEN[1]], place=gaps[HIDDEN[2]])
    verdict = next(each["supported"] for each in result.values["findings"] if each["key"] == FINDING)
    return Seen(drawn, why, {"yes": "b", "no": "a"}.get(verdict))


STEP = Step("judge", controls, draw, "discussion", (("question", "L46"),), sentence=False)
