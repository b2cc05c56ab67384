"""Three optimizers walk down the same narrow valley, each at its own best rate, found by trying."""

from functools import cache

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import bars
from hf_llm.texts import text

RULES = ("sgd", "momentum", "adam")
START, STEPS, RATES = (-1.5, 0.5), 600, 33
SHOWN = 200  # steps that are drawn


def controls() -> dict:
    return {"steps": gr.Slider(1, SHOWN, 15, step=1, label=t("optimizer.steps"))}


@cache
def walks() -> dict[str, tuple[int | None, list[list[float]]]]:
    """Return {rule: (steps to the bottom at its best rate, None where no rate gets there, and its path)}."""
    import torch

    from hf_llm.experiments.optimizers import surfaces
    from hf_llm.experiments.shared.descent import descend, steps_to_arrive

    start = torch.tensor([START], dtype=torch.float64)  # (1, 2)
    rates, found = torch.logspace(-4, 0, RATES, dtype=torch.float64), {}
    for rule in RULES:
        losses, positions = descend(surfaces.RULES[rule], surfaces.valley, start, rates, STEPS)
        arrived = steps_to_arrive(losses).where(surfaces.walked(losses), torch.inf)[:, 0]  # (RATES,)
        best = int(arrived.argmin())
        steps = int(arrived[best]) if arrived[best].isfinite() else None
        found[rule] = steps, positions[: SHOWN + 1, best, 0].tolist()
    return found


def draw(at: At, *, steps: float) -> Seen:
    """Return the paths so far, and how many steps each rule needs to the bottom."""
    found = walks()
    names = {rule: text(f"optimizer.rule.{rule}", at.lang) for rule in RULES}
    paths = {names[rule]: path[: int(steps) + 1] for rule, (_, path) in found.items()}
    lines = [Line(name, path, colour) for colour, (name, path) in enumerate(paths.items())]
    axes = (text("optimizer.flat", at.lang), text("optimizer.steep", at.lang))
    needed = {rule: STEPS if count is None else count for rule, (count, _) in found.items()}
    order = sorted(RULES, key=needed.get)
    first, last = ((names[rule], needed[rule]) for rule in (order[0], order[-1]))
    drawn = line_chart(lines, text("optimizer.paths", at.lang, steps=int(steps)), *axes, at.lang)
    caption = text("optimizer.needed", at.lang)
    shown = bars([names[rule] for rule in RULES], [needed[rule] for rule in RULES], caption, at.lang)
    why = text("optimizer.why", at.lang, first=first[0], least=first[1], last=last[0], most=last[1])
    return Seen(f'<div class="side-by-side">{drawn}<div>{shown}</div></div>', why, "abc"[RULES.index(order[0])])


STEP = Step("optimizer", controls, draw, "foundations", (("lab", "optimizers"),), sentence=False)
