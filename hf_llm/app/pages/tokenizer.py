"""Tokens with their ids and bytes, tokenizers side by side, and a BPE that is trained and replayed in the page."""

from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import gradio as gr

from hf_llm.app.page import App, Page, checked
from hf_llm.app.texts import Language, t, text
from hf_llm.app.views import bars, behind, code, message, shortened, tokens
from hf_llm.config import UserError, require
from hf_llm.data import is_here, read_text
from hf_llm.tokenization.readable import readable, token_bytes

if TYPE_CHECKING:
    from hf_llm.tokenization.bpe import Merge
    from hf_llm.tokenization.compare import Encoding

GPT2 = "gpt2-tokenizer"
CORPORA = ("the-verdict", "sample", "own")
SMALLEST, LARGEST = 257, 1000  # tokens of a BPE that is trained in the page
TOKENS_SHOWN = 600
# examples: the text of each; `tokenizer.why_<name>` says what it shows
PRESETS = {
    "words": "The picture was one of those that he had painted before he gave up painting.",
    "numbers": "3 33 333 3333 33333 · 1999 2000 2001 · 3,14159265 · R$ 1.234,56",
    "emoji": "👩🏽\u200d🚀 🏳️\u200d🌈 ação ac\u0327a\u0303o",
    "spaces": "def f(x):\n        return   x\n\n\n",
    "invented": "Supercalifragilisticoexpialidoso desengripantemente.",
}
# the same two sentences, written for this page, so that only the language differs
PAIR = {
    "pt-BR": "O gato que estava no quarto do apartamento 3 foi encontrado ontem. Ninguém sabia de quem ele era.",
    "en": "The cat that was in the bedroom of apartment 3 was found yesterday. Nobody knew whose cat it was.",
}


def build(page: Page) -> None:
    app = page.app
    names = available(app)

    preset = gr.Dropdown(
        [(t(f"tokenizer.preset_{name}"), name) for name in PRESETS], value=None, label=t("common.preset")
    )
    why = page.view()
    with gr.Group():
        words = gr.Textbox(PAIR["pt-BR"], label=t("tokenizer.text"), lines=3, max_length=app.config.max_characters)
        chosen = gr.CheckboxGroup(names, value=names[:2], label=t("tokenizer.tokenizers"))
    encoded = page.view()
    page.on(preset.input, choose_preset, [preset], [words, why])
    page.on(
        [words.change, chosen.change], partial(show_encodings, app), [words, chosen], encoded,
        trigger_mode="always_last",
    )  # fmt: skip
    gr.Markdown(t("tokenizer.cost_intro"))
    cost = page.view()

    gr.Markdown(t("tokenizer.train_intro"))
    with gr.Row():
        corpus = gr.Dropdown(
            [(t(f"tokenizer.corpus_{name}"), name) for name in CORPORA],
            value="the-verdict",
            label=t("tokenizer.corpus"),
        )
        vocab_size = gr.Slider(SMALLEST, LARGEST, 400, step=1, label=t("tokenizer.vocab_size"))
    own = gr.Textbox(label=t("tokenizer.own"), lines=4, max_length=10 * app.config.max_characters)
    train = gr.Button(t("tokenizer.train"), variant="primary")
    merges = gr.State([])
    with gr.Row(equal_height=True):
        back = gr.Button(t("tokenizer.back"), scale=1)
        step = gr.Slider(0, LARGEST - SMALLEST, 0, step=1, label=t("tokenizer.step"), scale=4)
        forward = gr.Button(t("tokenizer.forward"), scale=1)
    replayed = page.view()
    other = gr.Textbox(PAIR["en"], label=t("tokenizer.other"), lines=2, max_length=app.config.max_characters)
    applied = page.view()

    trained = page.on(
        train.click, partial(train_merges, app), [corpus, own, vocab_size], [merges, step],
        concurrency_id="calculation",
    )  # fmt: skip
    page.on(trained.then, show_merge, [merges, step], replayed)
    page.on(trained.then, show_applied, [merges, step, other], applied)
    back.click(lambda at: max(0, at - 1), step, step, api_visibility="private", show_progress="hidden")
    forward.click(
        lambda at, made: min(len(made), at + 1), [step, merges], step, api_visibility="private", show_progress="hidden"
    )
    page.on(step.change, show_merge, [merges, step], replayed, trigger_mode="always_last")
    page.on([step.change, other.change], show_applied, [merges, step, other], applied, trigger_mode="always_last")

    page.settings(locks=[preset], text=words, corpus=corpus, vocab_size=vocab_size, other=other)
    opened = page.opens_with(partial(show_encodings, app), [words, chosen], encoded)
    page.on(opened.then, lambda names, lang: show_cost(app, names, lang), [chosen], cost)


def endpoints(app: App) -> dict:
    def api_tokenize(text: str, tokenizers: list[str]) -> list[dict[str, Any]]:
        """Encode a text: for each tokenizer its tokens with id, text and bytes, tokens a word, bytes a token."""
        from hf_llm.tokenization.compare import compare

        words = checked(text, app.config.max_characters)
        return [encoding.as_dict() for encoding in compare(words, _loaded(app, tokenizers))]

    def api_train_bpe(text: str, vocab_size: int) -> list[dict[str, Any]]:
        """Train a byte-level BPE on a text; every merge with its pair, count, a word before and after."""
        words = checked(text, 10 * app.config.max_characters)
        return [merge._asdict() for merge in learned(words, vocab_size)]

    return {"tokenize": api_tokenize, "train_bpe": api_train_bpe}


def choose_preset(name: str | None, lang: Language) -> tuple:
    """Return an example's text, and why one should look at it."""
    if name not in PRESETS:
        return gr.skip(), ""
    return PRESETS[name], message(text(f"tokenizer.why_{name}", lang))


def available(app: App) -> list[str]:
    """Return the tokenizers to choose from: those of the models that are here, and GPT-2's own where it is."""
    names = app.library.language_models()
    return [*names, GPT2] if is_here(GPT2) else names


@cache
def _own_gpt2():
    from hf_llm.tokenization.tokenizer import load_tokenizer

    return load_tokenizer(GPT2)


def _loaded(app: App, names: list[str]) -> dict:
    require(bool(names), "name at least one tokenizer")
    return {name: _own_gpt2() if name == GPT2 else app.library.language_model(name).tokenizer for name in names}


def show_encodings(app: App, words: str, names: list[str], lang: Language) -> str:
    """Return the text's tokens under each tokenizer, with ids and bytes, and the comparison as a table."""
    from hf_llm.tokenization.compare import compare

    if not words:
        return message(text("common.empty", lang))
    if not names:
        return message(text("tokenizer.choose", lang))
    encodings = compare(checked(words, app.config.max_characters, lang), _loaded(app, names))
    parts = [_encoding(encoding, lang) for encoding in encodings]
    records = [{key: value for key, value in encoding.as_dict().items() if key != "tokens"} for encoding in encodings]
    headings = {key: text(f"tokenizer.{key}", lang) for key in records[0]}
    paths = [name if name == GPT2 else app.library.address(name) for name in names]
    source = (
        "from hf_llm import load_tokenizer\nfrom hf_llm.tokenization.compare import compare\n\n"
        f"tokenizers = {{name: load_tokenizer(name) for name in {paths!r}}}\n"
        f"for encoding in compare({shortened(words)!r}, tokenizers):\n    print(encoding.as_dict())"
    )
    return (
        "".join(parts)
        + behind("tokens", records, headings, text("tokenizer.compared", lang), lang)
        + code(source, lang)
    )


def _encoding(encoding: "Encoding", lang: Language) -> str:
    shown = encoding.tokens[:TOKENS_SHOWN]
    summary = text(
        "tokenizer.summary", lang, name=encoding.tokenizer, tokens=len(encoding.tokens), bytes=encoding.bytes
    )
    rest = len(encoding.tokens) - len(shown)
    return (
        message(summary)
        + tokens([token.text for token in shown], [f"{token.id}\n{token.bytes}" for token in shown])
        + (message(text("tokenizer.more", lang, rest=rest)) if rest else "")
        + behind(
            f"tokens-{encoding.tokenizer.replace('/', '-')}", [token._asdict() for token in encoding.tokens],
            {key: text(f"tokenizer.{key}", lang) for key in ("id", "text", "bytes")},
            text("tokenizer.of", lang, name=encoding.tokenizer), lang,
        )
    )  # fmt: skip


def show_cost(app: App, names: list[str], lang: Language) -> str:
    """Return what the same sentences cost in Portuguese and in English under each tokenizer."""
    from hf_llm.tokenization.compare import compare

    if not names:
        return message(text("tokenizer.choose", lang))
    records = []
    for language, sentence in PAIR.items():
        for encoding in compare(sentence, _loaded(app, names)):
            records.append({
                "language": text(f"tokenizer.in_{language}", lang),
                "tokenizer": encoding.tokenizer,
                "token_count": len(encoding.tokens),
                "tokens_per_word": encoding.tokens_per_word,
                "bytes_per_token": encoding.bytes_per_token,
            })  # fmt: skip
    caption = text("tokenizer.cost", lang)
    headings = {key: text(f"tokenizer.{key}", lang) for key in records[0]}
    drawn = bars(
        [f"{record['tokenizer']} · {record['language']}" for record in records],
        [record["tokens_per_word"] for record in records], caption, lang, digits=2,
    )  # fmt: skip
    return drawn + behind("cost", records, headings, caption, lang)


def learned(words: str, vocab_size: int) -> "list[Merge]":
    """Return the merges of a BPE of `vocab_size` tokens trained on a text; errors for a size that cannot be."""
    from hf_llm.tokenization.bpe import replay

    require(
        SMALLEST <= vocab_size <= LARGEST,
        f"vocab_size must be between {SMALLEST} (bytes alone) and {LARGEST} here, not {vocab_size}; "
        "scripts/train_tokenizer.py has no such limit",
    )
    return list(islice(replay(words, int(vocab_size)), LARGEST))


def train_merges(app: App, corpus: str, own: str, vocab_size: int, lang: Language) -> "tuple[list[Merge], dict]":
    """Train on the chosen corpus or the reader's own text; returns the merges and the slider that walks them."""
    if corpus == "own":
        if not own.strip():
            raise UserError(text("common.empty", lang))
        words = checked(own, 10 * app.config.max_characters, lang)
    else:
        words = read_text(corpus).text
    merges = learned(words, vocab_size)
    return merges, gr.update(maximum=max(1, len(merges)), value=min(1, len(merges)))


def show_merge(merges: "list[Merge]", step: int, lang: Language) -> str:
    """Return one merge: the pair, how often it occurs, a word before and after, how long the text is now."""
    if not merges:
        return message(text("tokenizer.untrained", lang))
    if step < 1:
        return message(text("tokenizer.start", lang))
    merge = merges[min(int(step), len(merges)) - 1]
    left, right = (_word(token) for token in merge.pair)
    sentence = text("tokenizer.merge", lang, step=merge.step, left=left, right=right, count=merge.count)
    before, after = ([_word(token) for token in word] for word in (merge.before, merge.after))
    records = [
        {"step": one.step, "pair": " + ".join(map(_word, one.pair)), "count": one.count, "token": _word(one.token),
         "text_tokens": one.text_tokens}
        for one in merges[: merge.step]
    ]  # fmt: skip
    headings = {key: text(f"tokenizer.{key}", lang) for key in records[0]}
    return (
        message(sentence)
        + f"<p>{text('tokenizer.before', lang)}</p>" + tokens(before, [""] * len(before))
        + f"<p>{text('tokenizer.after', lang)}</p>" + tokens(after, [""] * len(after))
        + message(text("tokenizer.length", lang, tokens=merge.text_tokens))
        + behind("merges", records[::-1], headings, text("tokenizer.merges", lang), lang)
    )  # fmt: skip


def show_applied(merges: "list[Merge]", step: int, other: str, lang: Language) -> str:
    """Return another text under the merges up to the chosen step."""
    from hf_llm.tokenization.bpe import tokenize

    if not merges or not other:
        return ""
    words = checked(other, 20_000, lang)
    made = tokenize(words, [merge.pair for merge in merges[: int(step)]])
    labels = [_word(token) for token in made[:TOKENS_SHOWN]]
    return message(text("tokenizer.applied", lang, tokens=len(made), bytes=len(words.encode("utf-8")))) + tokens(
        labels, [""] * len(labels)
    )


def _word(token: str) -> str:
    return readable(token_bytes(token))
