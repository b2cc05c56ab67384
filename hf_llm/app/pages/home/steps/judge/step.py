"""A judge that learned from unfair decisions: whom it approves, with names shown, and trained without them."""

from statistics import mean

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import bars
from hf_llm.texts import text

EXPERIMENT = "llm-judge"
# what the judge does not see, and which one it is: one that was trained on everything, or without name and gender
HIDDEN = {"nothing_hidden": "history", "name_hidden": "history_blind", "place_hidden": "history_blind"}
FINDING = "proxy_leaks"  # what the question asks: the neighbourhood brings part of the gap back


def controls() -> dict:
    hidden = [(t(f"judge.hides.{name}"), name) for name in HIDDEN]
    return {"hidden": gr.Radio(hidden, value="nothing_hidden", label=t("judge.hidden"))}


def draw(at: At, *, hidden: str) -> Seen:
    """Return the fraction of women and of men that are approved, and the distance for each thing that is hidden."""
    result = at.result(EXPERIMENT)
    rows = [row for row in result.rows("blinding") if HIDDEN[row["hidden"]] == row["judge"]]
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
    why = text("judge.why", at.lang, seen=gaps["nothing_hidden"], name=gaps["name_hidden"], place=gaps["place_hidden"])
    verdict = next(each["supported"] for each in result.values["findings"] if each["key"] == FINDING)
    return Seen(drawn, why, {"yes": "b", "no": "a"}.get(verdict))


STEP = Step("judge", controls, draw, "discussion", (("question", "L46"),), sentence=False)
