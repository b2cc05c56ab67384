"""The next token's distribution at a temperature, beside the model's own, and what is written with draws from it."""

from html import escape

import gradio as gr

from hf_llm.app.i18n import t
from hf_llm.app.pages.generate.answers import Writing, settings
from hf_llm.app.pages.home.step import At, Seen, Step
from hf_llm.app.views import bars
from hf_llm.texts import text
from hf_llm.tokenization.readable import token_labels

SHOWN, SEEDS, NEW = 6, 3, 16
HIGH = 2.0  # the temperature of the question


def controls() -> dict:
    return {"temperature": gr.Slider(0.1, 3, HIGH, step=0.1, label=t("generate.setting.temperature"))}


def draw(at: At, *, temperature: float) -> Seen:
    """Return both distributions, and the beginning of three texts drawn at the temperature."""
    from hf_llm.generation.next_token import next_token_stages
    from hf_llm.tokenization.tokenizer import encode_prompt

    loaded = at.loaded

    def distribution(temperature: float):
        chosen = settings(False, temperature, 0, 1.0, 1.0)
        return next_token_stages(loaded.model, encode_prompt(loaded.tokenizer, at.text), chosen)[-1].probabilities

    own, changed = distribution(1.0), distribution(temperature)
    ids = own.topk(SHOWN).indices.tolist()
    names = token_labels(loaded.tokenizer, ids)
    cards = ""
    for value, found in ((1.0, own), (float(temperature), changed)):
        caption = text("temperature.at", at.lang, temperature=value)
        rest = text("generate.rest", at.lang, others=len(own) - SHOWN)
        values = [*found[ids].tolist(), max(0.0, 1 - float(found[ids].sum()))]
        cards += f"<div>{bars([*names, rest], values, caption, at.lang, 1.0)}</div>"
    written = []
    for seed in range(SEEDS):
        writing = Writing(at.app, at.text, [at.model], settings(False, temperature, 0, 1.0, 1.0, seed, NEW))
        for _ in writing:
            pass
        written.append(f"<li>{escape(at.text)}<mark>{escape(writing.texts[0])}</mark></li>")
    caption = escape(text("temperature.written", at.lang, temperature=float(temperature)))
    favourite = {"token": names[0], "own": float(own[ids[0]]), "changed": float(changed[ids[0]])}
    hot = float(distribution(HIGH)[ids[0]])
    why = text("temperature.why", at.lang, temperature=float(temperature), **favourite)
    texts = f'<figure class="written"><figcaption>{caption}</figcaption><ul>{"".join(written)}</ul></figure>'
    return Seen(f'<div class="stages">{cards}</div>{texts}', why, "b" if hot < favourite["own"] else "a")


STEP = Step("temperature", controls, draw, "generate", needs="gpt2")
