"""What the page inside a GPT-2 answers: what the model computes, drawn part by part, and what was clicked in it."""

from typing import TYPE_CHECKING, Any

from hf_llm.app.config import checked
from hf_llm.app.page import App
from hf_llm.app.pages.inside import attention, views
from hf_llm.app.pages.inside.call import call
from hf_llm.app.pages.inside.model_picture import pictured
from hf_llm.app.pages.inside.picture_parts import Chosen
from hf_llm.app.pages.inside.presets import PRESETS, preset_of, why
from hf_llm.app.pages.inside.vectors import vectors
from hf_llm.app.server.library import first
from hf_llm.app.views import code, message
from hf_llm.config import UserError, require
from hf_llm.texts import Language, both
from hf_llm.texts import text as in_language

if TYPE_CHECKING:
    from hf_llm.explain.reading import Reading
    from hf_llm.explain.strips import Strips

PARTS = {  # of the page, and the views that each one fills
    "prediction": ["next"],
    "embedding": ["embedding", "addresses"],
    "attention": ["heads", "map", "cell"],
    "stream": ["norms", "mlp"],
    "lens": ["lens"],
    "vectors": ["vectors"],
    "off": ["off"],
}
ONLY_IN = {"key": "attention", "step": "attention", "place": "vectors", "shuffle": "embedding"}  # the part that asks
OFF = ("nothing", "head", "heads", "mlp")
LAST = -1  # the last token; as a key, the one with the most weight


def inspect(
    app: App, text: str, model: str | None = None, layer: int = 0, head: int = 0, token: int = -1, key: int = -1
) -> dict[str, Any]:
    """Look inside a GPT-2: embeddings, one head's attention with one cell written out, norms, MLP, next tokens.

    Positions count from 0; token -1 is the last one, key -1 the one that gets most attention from it.
    """
    from hf_llm.explain import inspection

    model = first(app.library.language_models()) if model is None else model
    return {"model": model, **inspection.inspect(_read(app, text, model), layer, head, token, key)}


def logit_lens(app: App, text: str, model: str | None = None, top: int = 5) -> dict[str, Any]:
    """What a GPT-2 would answer after each layer, for every token of a text; the last layer is its output."""
    from hf_llm.explain import inspection

    model = first(app.library.language_models()) if model is None else model
    return {"model": model, **inspection.lens(_read(app, text, model), top)}


ENDPOINTS = {"inspect": inspect, "logit_lens": logit_lens}


def _read(app: App, text: str, model: str | None) -> "Reading":
    """Return the text as the model reads it.

    Raises:
        UserError: When the text or the model will not do.
    """
    from hf_llm.explain.reading import read

    require(text != "", both("app.empty"))
    checked(text, app.config.max_characters)
    require(model is not None or bool(app.library.language_models()), both("app.no_model"))
    loaded = app.library.language_model(model)
    kind = loaded.model.config.model_type
    require(kind == "gpt2", both("inside.not_gpt2", model=model, kind=kind))
    return read(loaded.explained, loaded.tokenizer, text)


def show(
    app: App, *, model: str, text: str, part: str, layer: int, head: int, token: int, key: int, step: str,
    place: str, shuffle: int, off: str, lang: Language,
) -> dict[str, str]:  # fmt: skip
    """Return the picture, the views of one part of the page and those of all, {name: HTML}.

    Where a text cannot be read, a message stands in the picture's place.
    """
    preset = preset_of(text)
    try:
        reading = _read(app, text, model)
    except UserError as error:  # what was drawn before belongs to another text or model
        said = message(app.said(error, lang), "bad")
        return {"why": "", "picture": said, **dict.fromkeys(PARTS[part], ""), "call": ""}
    # the controls may still stand where a longer text or a larger model had them
    layer, head = min(max(int(layer), 0), reading.n_layer - 1), min(max(int(head), 0), reading.n_head - 1)
    token = int(token) if 0 <= int(token) < reading.T else reading.T - 1
    key = int(key) if 0 <= int(key) < reading.T else LAST
    shown = {"why": message(why(preset, reading, lang)) if preset else ""}
    chosen = Chosen(layer, head, token, step, None if off == "nothing" else off)
    drawn, found = pictured(reading, chosen, lang)
    shown["picture"] = views.cut(reading.as_dict(), lang) + drawn
    shown |= _beside(reading, found, part, chosen, key, place, int(shuffle), lang)
    source = call(app.library.source(model), text, part, layer, head, token, off, place)
    return {**shown, "call": code(source, lang)}


def _beside(
    reading: "Reading", found: "Strips", part: str, chosen: Chosen, key: int, place: str, shuffle: int, lang: Language
) -> dict[str, str]:
    """Return the views of one part, opened where the picture is."""
    from hf_llm.explain.inspection import inspect, lens
    from hf_llm.explain.what_if import addresses, switched_off

    layer, head, token, off = chosen.layer, chosen.head, chosen.token, chosen.off
    if part == "vectors":
        return {"vectors": vectors(found, place, reading.labels, layer, head, token, lang)}
    if part == "off":
        if off is None:
            return {"off": message(in_language("inside.off_none", lang))}
        return {"off": views.off(switched_off(reading, layer, head, off, token), off, layer, head, lang)}
    whole = ""
    if off and part in ("prediction", "stream", "lens"):  # what lies behind the part that is switched off
        name = in_language(f"inside.off_now.{off}", lang, layer=layer, head=head)
        whole = message(in_language("inside.whole", lang, part=name))
    if part == "lens":
        return {"lens": whole + views.lens(lens(reading), token, lang)}
    seen = inspect(reading, layer, head, token, key)
    if part == "prediction":
        return {"next": whole + views.following(seen, lang)}
    if part == "embedding":
        moved = addresses(reading, shuffle, token)
        return {"embedding": views.embedding(found, seen, lang), "addresses": views.addresses(moved, lang)}
    if part == "attention":
        return {
            "heads": attention.heads(seen, found.every_head, lang),
            "map": attention.step_map(seen, chosen.step, lang),
            "cell": attention.cell(seen, lang),
        }
    neurons = reading.seen(f"layer.{layer}.mlp.activation")
    return {"norms": whole + views.norms(seen, lang), "mlp": views.mlp(seen, neurons, lang)}


def choose_in_picture(
    app: App, *, choice: str, text: str, model: str, layer: int, head: int, off: str, lang: Language, **given
) -> dict:
    """Return what a click in the picture sets.

    Raises:
        UserError: When it asks for one more token and there is no room for one, or the text ends here.
    """
    opens, _, value = choice.partition(":")
    return {
        "token": lambda: {"token": int(value), "key": LAST},
        "layer": lambda: {"layer": int(value)},
        "head": lambda: {"head": int(value), "part": "attention"},
        "step": lambda: {"step": value, "part": "attention"},
        "place": lambda: {"place": value, "part": "vectors"},
        "part": lambda: {"part": value},
        "off": lambda: {"off": "nothing" if off == value else value, "part": "off"},
        "more": lambda: {"text": longer(app, text, model, layer, head, off), "token": LAST, "key": LAST},
    }[opens]()


def longer(app: App, text: str, model: str, layer: int, head: int, off: str) -> str:
    """Return the text with its likeliest next token behind it, which the model finds as it is drawn, with a part off.

    The longer text is read anew: its last letters may then be cut into other tokens. Where a token ends inside a
    character, those that complete it come along.

    Raises:
        UserError: When there is no room for a token, or the text ends here.
    """
    from hf_llm.explain.reading import LONGEST
    from hf_llm.explain.switching_off import without
    from hf_llm.generation.detokenizer import Detokenizer

    reading = _read(app, text, model)
    layer, head = min(int(layer), reading.n_layer - 1), min(int(head), reading.n_head - 1)
    edit = None if off == "nothing" else without(off, layer, head, reading.n_head)
    tokenizer = app.library.language_model(model).tokenizer
    ids, most, piece = reading.ids[0].tolist(), min(LONGEST, reading.model.wpe.num_embeddings), ""
    written = Detokenizer(tokenizer, ids)
    require(reading.left_out == 0, both("inside.full", most=most))
    while not piece:
        require(len(ids) < most, both("inside.full", most=most))
        logits = reading.model(reading.ids.new_tensor([ids]), edit=edit)[0]  # (1, T, vocab_size)
        ids.append(int(logits[0, -1].argmax()))
        require(ids[-1] not in tokenizer.all_special_ids, both("inside.ends"))
        piece = written.push(ids[-1])
    return text + piece


def choose_preset(app: App, *, choice: str, **given) -> dict:
    """Return the preset's text and part, and its last token."""
    text, part = PRESETS[choice]
    return {"text": text, "part": part, "token": LAST, "key": LAST}


def write(app: App, **given) -> dict:
    """Return the last token, since of another text the chosen one is another, if there is any."""
    return {"token": LAST, "key": LAST}


def choose_in_lens(app: App, *, choice: str, **given) -> dict:
    return {"token": int(choice.split(",")[1]), "key": LAST}


def choose_in_map(app: App, *, choice: str, **given) -> dict:
    token, key = choice.split(",")
    return {"token": int(token), "key": int(key)}


def choose_head(app: App, *, choice: str, **given) -> dict:
    return {"head": int(choice)}


def choose_key(app: App, *, choice: str, **given) -> dict:
    return {"key": int(choice)}
