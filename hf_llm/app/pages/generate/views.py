"""What the generate page draws: a text being written, distributions stage by stage, tokens coloured by surprise."""

import math
from html import escape
from typing import TYPE_CHECKING, Any

from hf_llm.app.views import bars, code, downloads, figure_data, message, paragraph, shortened, tokens
from hf_llm.generation.config import GenerationSettings
from hf_llm.texts import Language, number, text
from hf_llm.tokenization.readable import token_labels

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedTokenizerFast

    from hf_llm.app.server.library import LanguageModel
    from hf_llm.generation.generate import GenerationResult
    from hf_llm.generation.next_token import Stage

SHOWN = 8  # tokens of a distribution that have a bar of their own
STAGES = ("repetition_penalty", "temperature", "top_k", "top_p")
DIGITS = 9  # of a probability in the data: what fp32 holds


def written(name: str, prompt: str, new: str, result: "GenerationResult | None", lang: Language) -> str:
    """Return the prompt and what the model has added to it; with a result, how it ended."""
    ended = ""
    if result is not None:
        said = [text(f"generate.end.{result.finish_reason}", lang, tokens=len(result.token_ids))]
        if result.slid:
            said.append(text("generate.slid", lang))
        if result.prompt_changes:
            said.append(result.prompt_changes.in_language(lang))
        ended = f"<p><strong>{escape(' '.join(said))}</strong></p>"
    return (
        f'<figure class="written"><figcaption><bdi>{escape(name)}</bdi></figcaption>'
        f'<p dir="auto">{escape(prompt)}<mark>{escape(new)}</mark></p>{ended}</figure>'
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
        title = text(f"generate.after.{stage.name}", lang, value=value)
        cards.append(_distribution(loaded.tokenizer, stage, title, largest, lang))
    off = [text(f"generate.setting.{name}", lang) for name in STAGES if name not in on]
    (label,) = token_labels(loaded.tokenizer, [drawn])
    how = "generate.drawn" if chosen.do_sample else "generate.likeliest"
    shown = sorted({id for stage in made for id in _top(stage)}, key=lambda id: -made[0].probabilities[id])
    caption = text("generate.next_token", lang, name=loaded.name)
    return (
        f"<h3>{escape(caption)}</h3>"
        + f'<div class="stages">{"".join(cards)}</div>'
        + (paragraph(text("generate.unused", lang, names=", ".join(off))) if off else "")
        + message(text(how, lang, token=label, seed=chosen.seed))
        + figure_data("next-token", _records(loaded.tokenizer, made, shown), "generate.column", caption, lang)
    )


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
    return f"<div>{bars(names, values, title, lang, largest)}{paragraph(possible)}</div>"


def vocabulary(loaded: "LanguageModel", made: "list[Stage]", lang: Language) -> str:
    """Return links that save every token of the vocabulary with its probability at each stage."""
    data = records(loaded.tokenizer, made)
    return message(text("generate.prepared", lang, name=loaded.name, tokens=len(data))) + downloads(
        "next-token-vocabulary", data, lang
    )


def surprise(
    loaded: "LanguageModel", ids: list[int], bits: "np.ndarray", left_out: int, position: int | None, lang: Language
) -> str:
    """Return tokens coloured by their bits, their mean and total, and a table of them.

    Args:
        loaded: The model that was surprised.
        ids: The document's tokens, its start first.
        bits: -log2 p of each but the first.
        left_out: Tokens of the text that were not scored.
        position: The chosen token, from 0.
        lang: The reader's.
    """
    chance = math.log2(loaded.model.config.get_text_config().vocab_size)
    names, costs = token_labels(loaded.tokenizer, ids[1:]), bits.tolist()
    unit = text("generate.bits", lang)
    mean = float(bits.mean()) if costs else 0.0
    summary = text(
        "generate.summary", lang, name=loaded.name, mean=mean, total=sum(costs), tokens=len(costs), chance=chance
    )
    data = [
        {"position": at, "id": id, "token": name, "probability": float(f"{2**-cost:.{DIGITS}g}"), "bits": cost}
        for at, (id, name, cost) in enumerate(zip(ids[1:], names, costs, strict=True), 1)
    ]
    caption = text("generate.surprises", lang, name=loaded.name)
    return (
        message(summary)
        + tokens(names, [f"{number(cost, lang, '.1f')} {unit}" for cost in costs], position,
                 shades=[min(1, cost / chance) for cost in costs])
        + (message(text("generate.left_out", lang, tokens=left_out)) if left_out else "")
        + figure_data("surprise", data, "generate.column", caption, lang)
    )  # fmt: skip


def expected(loaded: "LanguageModel", stage: "Stage", token: int, lang: Language) -> str:
    """Return how likely a token of the text was, its rank, and what the model would rather have read."""
    p = float(stage.probabilities[token])
    rank = 1 + int((stage.probabilities > stage.probabilities[token]).sum())
    (label,) = token_labels(loaded.tokenizer, [token])
    said = text(
        "generate.was", lang, token=label, probability=p, bits=-math.log2(p) if p else math.inf, rank=rank,
        vocab=len(stage.probabilities),
    )  # fmt: skip
    title = text("generate.expected", lang)
    shown = _records(loaded.tokenizer, [stage], _top(stage))
    return (
        message(said)
        + _distribution(loaded.tokenizer, stage, title, None, lang)
        + figure_data("expected", shown, "generate.column", title, lang)
    )


def generate_call(sources: list[str], prompt: str, chosen: GenerationSettings, lang: Language) -> str:
    return code(
        "from hf_llm import GenerationSettings, load_causal_lm, load_tokenizer\n"
        "from hf_llm.generation.generate import TextStream\n\n"
        f"settings = {_settings(chosen)}\n"
        f"for name in {sources!r}:\n"
        f"    for piece in TextStream(load_causal_lm(name), load_tokenizer(name), {shortened(prompt)!r}, settings):\n"
        '        print(piece, end="", flush=True)',
        lang,
    )


def next_token_call(sources: list[str], prompt: str, chosen: GenerationSettings, lang: Language) -> str:
    return code(
        "from hf_llm import GenerationSettings, load_causal_lm, load_tokenizer\n"
        "from hf_llm.generation.next_token import next_token_stages\n"
        "from hf_llm.tokenization.tokenizer import encode_prompt\n\n"
        f"settings = {_settings(chosen)}\n"
        f"for name in {sources!r}:\n"
        f"    ids = encode_prompt(load_tokenizer(name), {shortened(prompt)!r})\n"
        "    print(next_token_stages(load_causal_lm(name), ids, settings))",
        lang,
    )


def surprise_call(sources: list[str], scored: str, lang: Language) -> str:
    return code(
        "from hf_llm import load_causal_lm, load_tokenizer\n"
        "from hf_llm.evaluation.surprise import surprise\n"
        "from hf_llm.tokenization.tokenizer import encode_document\n\n"
        f"for name in {sources!r}:\n"
        f"    ids = encode_document(load_tokenizer(name), {shortened(scored)!r}).tolist()\n"
        "    print(surprise(load_causal_lm(name), ids))",
        lang,
    )


def _settings(chosen: GenerationSettings) -> str:
    """Return the settings as code, what is at its default left out."""
    default = GenerationSettings()
    changed = [f"{name}={value!r}" for name, value in vars(chosen).items() if value != getattr(default, name)]
    return f"GenerationSettings({', '.join(changed)})"
