"""Encode one text with several tokenizers, and print what each makes of it.

GPT-2's own tokenizer is among them.

hf-llm compare_tokenizers --text "Não há nada" --tokenizers runs/verdict
"""

import json
import sys

from hf_llm.config import command, parse
from hf_llm.tokenization.config import CompareTokenizersConfig


@command
def main():
    config = parse(CompareTokenizersConfig, description=__doc__)

    from hf_llm.data import read_text
    from hf_llm.tokenization.compare import compare, load_tokenizers

    corpus = read_text(config.corpus) if config.corpus is not None else None
    text = corpus.text if corpus else config.text
    tokenizers, notes = load_tokenizers(config.tokenizers)
    encodings = compare(text, tokenizers)
    if corpus:
        print(corpus.reading, file=sys.stderr)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if config.json:
        print(json.dumps(encodings, ensure_ascii=False, indent=2))
        return
    width = max(len(name) for name in ["tokenizer", *tokenizers])
    print(f"{'tokenizer':<{width}}  vocabulary  tokens  tokens/word  bytes/token")
    for e in encodings:
        row = f"{e['tokenizer']:<{width}}  {e['vocab_size']:>10,}  {e['token_count']:>6,}"
        means = (e["tokens_per_word"], e["bytes_per_token"])
        print(row, *(f"{value:>11.2f}" if value else f"{'-':>11}" for value in means))
    for e in encodings:
        print(f"\n{e['tokenizer']}\n  " + "|".join(token["text"] for token in e["tokens"]))
        print("  " + " ".join(str(token["id"]) for token in e["tokens"]))
        if e["changes"]:
            print(f"  {e['changes']}")
