"""All ids of the vocabulary get other numbers: with the rows of the table moved along, and with the rows left."""

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.home.step import ROUNDING, At, Seen, Step, logits_moved
from hf_llm.app.pages.inside.vectors import rows_of_numbers
from hf_llm.app.views import bars, folded, tokens
from hf_llm.texts import text

NUMBERINGS = ("before", "with_rows", "without_rows")


def controls() -> dict:
    return {"shuffle": gr.Slider(1, 99, 1, step=1, label=t("addresses.shuffle"))}


def draw(at: At, *, shuffle: float) -> Seen:
    """Return the tokens with old and new ids, the prediction under each numbering, and the last token's row, folded."""
    from hf_llm.explain.what_if import addresses

    reading = at.reading
    found = addresses(reading, int(shuffle))
    ids = [f"{one['id']} → {one['new_id']}" for one in found["tokens"]]
    cards = ""
    for name in NUMBERINGS:
        rows = found[name] if name == "before" else found[name]["next"]
        names, probabilities = zip(*((row["text"], row["probability"]) for row in rows), strict=True)
        drawn = bars(names, probabilities, text(f"addresses.{name}", at.lang), at.lang, 1.0)
        cards += f"<div>{drawn}</div>"
    last = reading.T - 1
    label, id = reading.labels[last], reading.ids[0, last].item()
    caption = text("addresses.row", at.lang, token=label, id=id)
    row = rows_of_numbers({text("addresses.of", at.lang, id=id): reading.model.wte.weight[id]}, caption, at.lang)
    kept, lost = (found[name]["largest_difference"] for name in NUMBERINGS[1:])
    words = {"kept": logits_moved(kept, at.lang), "lost": lost, "token": label, "id": id}
    why = text("addresses.why", at.lang, **words)
    right = "b" if kept < ROUNDING < lost else "a" if kept >= ROUNDING else None
    shown = tokens(reading.labels, ids) + f'<div class="stages three">{cards}</div>' + folded(caption, row)
    return Seen(shown, why, right)


STEP = Step("addresses", controls, draw, "inside", (("part", "embedding"),), needs="gpt2")
