"""What the generate page draws: a text being written, distributions stage by stage, tokens coloured by surprise."""

import math
from html import escape
from typing import TYPE_CHECKING, Any

from hf_llm.app.texts import Language, text
from hf_llm.app.views import bars, behind, code, downloads, message, number, shortened, tokens
from hf_llm.generation.config import GenerationSettings
from hf_llm.tokenization.labels import token_labels

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedTokenizerFast

    from hf_llm.app.server.library import LanguageModel
    from hf_llm.generation.generate import GenerationResult
    from hf_llm.generation.next_token import Stage

SHOWN = 8  # tokens of a distribution that have a bar of their own
STAGES = ("repetition_penalty", "temperature", "top_k", "top_p")
DIGITS = 9  # of a probability in the data: what fp32 holds


def written(name: str, prompt: str, words: str, result: "GenerationResult | None", lang: Language) -> str:
    """Return the prompt and what the model has added to it; with a result, how it ended."""
    ended = ""
    if result is not None:
        said = [text(f"generate.end_{result.finish_reason}", lang, tokens=len(result.token_ids))]
        if result.slid:
            said.append(text("generate.slid", lang))
        ended = f"<p><strong>{escape(' '.join(said))}</strong></p>"
    return (
        f'<figure class="written"><figcaption><bdi>{escape(name)}</bdi></figcaption>'
        f'<p dir="auto">{escape(prompt)}<mark>{escape(words)}</mark></p>{ended}</figure>'
    )


def records(tokenizer: "PreTrainedTokenizerFast", stages: "list[Stage]", most: int = 0) -> list[dict[str, Any]]:
    """Return {id, token, probability by stage}, the model's likeliest first; 0 = the whole vocabulary."""
    order = stages[0].probabilities.argsort(descending=True, stable=True)
    return _records(tokenizer, stages, order[:most].tolist() if most else order.tolist())


def _records(tokenizer: "PreTrainedTokenizerFast", stages: "list[Stage]", ids: list[int]) -> list[dict[str, Any]]:
    columns = {stage.name: stage.probabilities[ids].tolist() for stage in stages}
    return [
        {"id": id, "token": label} | {name: float(f"{column[row]:.{DIGITS}g}") for name, column in columns.items()}
        for row, (id, label) in enumerate(zip(ids, token_labels(tokenizer, ids), strict=True))
    ]


def stages(loaded: "LanguageModel", made: "list[Stage]", drawn: int, chosen: GenerationSettings, lang: Language) -> str:
    """Return the distribution before the settings and after each, which token was drawn, and the numbers behind."""
    largest = max(float(stage.probabilities.max()) for stage in made)
    largest = max(largest, *(_rest(stage) for stage in made))
    cards, on = [], [stage.name for stage in made]
    for stage in made:
        value = getattr(chosen, stage.name, None)
        title = text(f"generate.after_{stage.name}", lang, value=_value(value, lang))
        cards.append(_distribution(loaded.tokenizer, stage, title, largest, lang))
    off = [text(f"generate.{name}", lang) for name in STAGES if name not in on]
    (label,) = token_labels(loaded.tokenizer, [drawn])
    how = "generate.drawn" if chosen.do_sample else "generate.likeliest"
    shown = sorted({id for stage in made for id in _top(stage)}, key=lambda id: -made[0].probabilities[id])
    headings = {"id": text("generate.id", lang), "token": text("generate.token", lang)}
    headings |= {name: text(f"generate.column_{name}", lang) for name in on}
    caption = text("generate.next_token", lang, name=loaded.name)
    return (
        f"<h3>{escape(caption)}</h3>"
        + f'<div class="stages">{"".join(cards)}</div>'
        + (f"<p>{escape(text('generate.unused', lang, names=', '.join(off)))}</p>" if off else "")
        + message(text(how, lang, token=label, seed=chosen.seed))
        + behind("next-token", _records(loaded.tokenizer, made, shown), headings, caption, lang)
    )


def _value(value: float | None, lang: Language) -> str:
    if value is None:
        return ""
    shown = f"{value:g}"
    return shown if lang == "en" else shown.replace(".", ",")


def _top(stage: "Stage") -> list[int]:
    return stage.probabilities.topk(min(SHOWN, stage.possible)).indices.tolist()


def _rest(stage: "Stage") -> float:
    return max(0.0, 1 - float(stage.probabilities[_top(stage)].sum()))


def _distribution(
    tokenizer: "PreTrainedTokenizerFast", stage: "Stage", title: str, largest: float | None, lang: Language
) -> str:
    """Return the likeliest tokens with a bar each, the others as one bar, and how many are possible."""
    ids = _top(stage)
    names, values = token_labels(tokenizer, ids), stage.probabilities[ids].tolist()
    others = stage.possible - len(ids)
    if others:
        names.append(text("generate.rest", lang, others=others))
        values.append(_rest(stage))
    possible = text("generate.possible", lang, possible=stage.possible, vocab=len(stage.probabilities))
    return f"<div>{bars(names, values, title, lang, largest=largest)}<p>{escape(possible)}</p></div>"


def whole(loaded: "LanguageModel", made: "list[Stage]", lang: Language) -> str:
    """Return links that save every token of the vocabulary with its probability at each stage."""
    data = records(loaded.tokenizer, made)
    return message(text("generate.prepared", lang, name=loaded.name, tokens=len(data))) + downloads(
        "next-token-vocabulary", data, lang
    )


def surprise(
    loaded: "LanguageModel", ids: list[int], bits: "np.ndarray", left_out: int, place: int | None, lang: Language
) -> str:
    """Return tokens coloured by their bits, their mean and total, and a table of them.

    Args:
        loaded: The model that was surprised.
        ids: The document's tokens, its start first.
        bits: -log2 p of each but the first.
        left_out: Tokens of the text that were not scored.
        place: The pressed token, from 0.
        lang: The reader's.
    """
    chance = math.log2(loaded.model.config.get_text_config().vocab_size)
    names, costs = token_labels(loaded.tokenizer, ids[1:]), bits.tolist()
    unit = text("generate.bits", lang)
    summary = text(
        "generate.summary", lang, name=loaded.name, mean=number(float(bits.mean()), lang, 2),
        total=number(float(bits.sum()), lang, 1), tokens=len(costs), chance=number(chance, lang, 1),
    )  # fmt: skip
    data = [
        {"place": at, "id": id, "token": name, "probability": float(f"{2**-cost:.{DIGITS}g}"), "bits": cost}
        for at, (id, name, cost) in enumerate(zip(ids[1:], names, costs, strict=True), 1)
    ]
    headings = {key: text(f"generate.{key}", lang) for key in data[0]}
    caption = text("generate.surprises", lang, name=loaded.name)
    return (
        message(summary)
        + tokens(names, [f"{number(cost, lang, 1)} {unit}" for cost in costs], place,
                 shades=[min(1, cost / chance) for cost in costs])
        + (message(text("generate.left_out", lang, tokens=left_out)) if left_out else "")
        + behind("surprise", data, headings, caption, lang)
    )  # fmt: skip


def expected(loaded: "LanguageModel", stage: "Stage", token: int, lang: Language) -> str:
    """Return how likely a token of the text was, its rank, and what the model would rather have read."""
    p = float(stage.probabilities[token])
    rank = 1 + int((stage.probabilities > stage.probabilities[token]).sum())
    (label,) = token_labels(loaded.tokenizer, [token])
    said = text(
        "generate.was", lang, token=label, probability=number(p, lang, 4),
        bits=number(-math.log2(p) if p else math.inf, lang, 1), rank=rank, vocab=len(stage.probabilities),
    )  # fmt: skip
    title = text("generate.expected", lang)
    shown = _records(loaded.tokenizer, [stage], _top(stage))
    headings = {"id": text("generate.id", lang), "token": text("generate.token", lang)}
    headings["model"] = text("generate.probability", lang)
    return (
        message(said)
        + _distribution(loaded.tokenizer, stage, title, None, lang)
        + behind("expected", shown, headings, title, lang)
    )


def generate_call(paths: list[str], prompt: str, chosen: GenerationSettings, lang: Language) -> str:
    return code(
        "from hf_llm import GenerationSettings, load_causal_lm, load_tokenizer\n"
        "from hf_llm.generation.generate import TextStream\n\n"
        f"settings = {_settings(chosen)}\n"
        f"for name in {paths!r}:\n"
        f"    for piece in TextStream(load_causal_lm(name), load_tokenizer(name), {shortened(prompt)!r}, settings):\n"
        '        print(piece, end="", flush=True)',
        lang,
    )


def next_token_call(paths: list[str], words: str, chosen: GenerationSettings, lang: Language) -> str:
    return code(
        "from hf_llm import GenerationSettings, load_causal_lm, load_tokenizer\n"
        "from hf_llm.generation.next_token import next_token_stages\n"
        "from hf_llm.tokenization.tokenizer import encode_document\n\n"
        f"settings = {_settings(chosen)}\n"
        f"for name in {paths!r}:\n"
        f"    ids = encode_document(load_tokenizer(name), {shortened(words)!r}).tolist()\n"
        "    print(next_token_stages(load_causal_lm(name), ids, settings))",
        lang,
    )


def surprise_call(paths: list[str], words: str, lang: Language) -> str:
    return code(
        "from hf_llm import load_causal_lm, load_tokenizer\n"
        "from hf_llm.evaluation.surprise import surprise\n"
        "from hf_llm.tokenization.tokenizer import encode_document\n\n"
        f"for name in {paths!r}:\n"
        f"    ids = encode_document(load_tokenizer(name), {shortened(words)!r}).tolist()\n"
        "    print(surprise(load_causal_lm(name), ids))",
        lang,
    )


def _settings(chosen: GenerationSettings) -> str:
    """Return the settings as code, what is at its default left out."""
    default = GenerationSettings()
    changed = [f"{name}={value!r}" for name, value in vars(chosen).items() if value != getattr(default, name)]
    return f"GenerationSettings({', '.join(changed)})"
