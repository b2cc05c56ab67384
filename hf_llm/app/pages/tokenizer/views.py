"""What the tokenizer page draws: tokens with their bytes, a comparison, one merge of a BPE."""

from html import escape

from hf_llm.app.views import bars, code, figure_data, message, paragraph, shortened, tokens
from hf_llm.texts import Language, text
from hf_llm.tokenization.readable import readable, token_bytes

TOKENS_SHOWN = 600


def encodings(found: list[dict], lang: Language) -> str:
    """Return the tokens under each tokenizer, and how the tokenizers compare; `found` is what `tokenize` returns."""
    records = [
        {key: value for key, value in encoding.items() if key not in ("tokens", "changes")} for encoding in found
    ]
    compared = figure_data("tokens", records, "tokenizer.column", text("tokenizer.compared", lang), lang)
    return "".join(_encoding(encoding, lang) for encoding in found) + compared


def _encoding(encoding: dict, lang: Language) -> str:
    name, made = encoding["tokenizer"], encoding["tokens"]
    shown, rest = made[:TOKENS_SHOWN], len(made) - TOKENS_SHOWN
    summary = text("tokenizer.summary", lang, name=name, tokens=len(made), bytes=encoding["byte_count"])
    return (
        message(summary)
        + (message(encoding["changes"].in_language(lang), "bad") if encoding["changes"] else "")
        + tokens([token["text"] for token in shown], [str(token["id"]) for token in shown])
        + (message(text("tokenizer.more", lang, rest=rest)) if rest > 0 else "")
        + figure_data(
            f"tokens-{name.replace('/', '-')}", made, "tokenizer.column", text("tokenizer.of", lang, name=name), lang
        )
    )


def call(sources: list[str], encoded: str, lang: Language) -> str:
    return code(
        "from hf_llm import load_tokenizer\nfrom hf_llm.tokenization.compare import compare\n\n"
        f"tokenizers = {{name: load_tokenizer(name) for name in {sources!r}}}\n"
        f"for encoding in compare({shortened(encoded)!r}, tokenizers):\n    print(encoding)",
        lang,
    )


def cost(found: dict[str, list[dict]], lang: Language) -> str:
    """Return tokens per word by tokenizer and language; `found` holds encodings of the same sentences by language."""
    records = [
        {
            "language": text(f"tokenizer.languages.{language}", lang),
            **{key: encoding[key] for key in ("tokenizer", "token_count", "tokens_per_word", "bytes_per_token")},
        }
        for language, encoded in found.items()
        for encoding in encoded
    ]
    caption = text("tokenizer.cost", lang)
    names = [f"{record['tokenizer']} · {record['language']}" for record in records]
    drawn = bars(names, [record["tokens_per_word"] for record in records], caption, lang)
    return drawn + figure_data("cost", records, "tokenizer.column", caption, lang)


def merge(made: list[dict], passage: list[list[str]], lang: Language) -> str:
    """Return the last of the merges so far, at work in a passage of words as their tokens, and a table of all."""
    last = made[-1]
    left, right = map(_shown, last["pair"])
    records = [
        {"step": one["step"], "pair": " + ".join(map(_shown, one["pair"])), "count": one["count"],
         "token": _shown(one["token"]), "text_tokens": one["text_tokens"]}
        for one in reversed(made)
    ]  # fmt: skip
    joining = "".join(_joining(word, last["pair"]) for word in passage)
    return (
        message(text("tokenizer.merge", lang, step=last["step"], left=left, right=right, count=last["count"]))
        + paragraph(text("tokenizer.in_text", lang))
        + f'<p class="merging" data-odd="{last["step"] % 2}">{joining}</p>'
        + message(text("tokenizer.length", lang, tokens=last["text_tokens"]))
        + figure_data("merges", records, "tokenizer.column", text("tokenizer.merges", lang), lang)
    )


def _joining(word: list[str], pair: list[str]) -> str:
    """Return the tokens of a word, those that become one marked; style.css lets them come together."""
    drawn, i = "", 0
    while i < len(word):
        left, joins = escape(_shown(word[i])), word[i : i + 2] == list(pair)
        if joins:
            drawn += f"<mark><b>{left}</b><b>{escape(_shown(word[i + 1]))}</b></mark>"
        else:
            drawn += f"<span>{left}</span>"
        i += 1 + joins
        if left.endswith("⏎"):
            drawn += "<br>"
    return drawn


def applied(made: list[str], size: int, lang: Language) -> str:
    """Return a text of `size` bytes as the tokens that some merges made of it."""
    summary = message(text("tokenizer.applied", lang, tokens=len(made), bytes=size))
    return summary + tokens([_shown(token) for token in made[:TOKENS_SHOWN]])


def _shown(token: str) -> str:
    return readable(token_bytes(token))
