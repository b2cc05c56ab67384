"""One text under several tokenizers: what each makes of it, and how much text a token holds.

A token that holds more bytes makes a text shorter for the model; how much depends on what the tokenizer was trained
on, which is why a story's own small tokenizer may beat GPT-2's of 50,257 tokens on that story and loses elsewhere.
"""

from tokenizers import decoders
from transformers import PreTrainedTokenizerFast

from hf_llm.config import check_unicode, require
from hf_llm.data import MissingData
from hf_llm.texts import both
from hf_llm.tokenization.lossless import changes
from hf_llm.tokenization.readable import readable, token_bytes
from hf_llm.tokenization.tokenizer import load_tokenizer

GPT2 = "gpt2-tokenizer"


def compare(text: str, tokenizers: dict[str, PreTrainedTokenizerFast]) -> list[dict]:
    """Encode `text` with each of the named tokenizers, in their order.

    Returns:
        A dict each, ready for JSON: the name, counts, means (a word is what stands between white space; None where
        there is nothing to divide by), `changes`, a sentence on what the tokenizer changes in the text or "", and
        `tokens`: id, text with white space visible, bytes in hexadecimal.

    Raises:
        UserError: When the text is empty or holds a lone surrogate.
    """
    require(text != "", both("tokenization.no_text"))
    size, words = len(check_unicode(text).encode("utf-8")), len(text.split())
    found = []
    for name, tokenizer in tokenizers.items():
        tokens = _tokens(tokenizer, text)
        changed = changes(tokenizer, text, [token["id"] for token in tokens])
        found.append({
            "tokenizer": name, "vocab_size": len(tokenizer), "token_count": len(tokens), "byte_count": size,
            "word_count": words, "tokens_per_word": len(tokens) / words if words else None,
            "bytes_per_token": size / len(tokens) if tokens else None,
            "changes": changed.sentence() if changed else "", "tokens": tokens,
        })  # fmt: skip
    return found


def load_tokenizers(names: list[str]) -> tuple[dict[str, PreTrainedTokenizerFast], list[str]]:
    """Load the named tokenizers, and GPT-2's own after them where it is to be had.

    Returns:
        {name: tokenizer}, and notes for the reader: why GPT-2's is missing, if it is.
    """
    tokenizers, notes = {name: load_tokenizer(name) for name in names}, []
    if GPT2 not in tokenizers:
        try:
            tokenizers[GPT2] = load_tokenizer(GPT2)
        except MissingData as missing:
            require(bool(tokenizers), f"there is no tokenizer to compare: {missing}")
            notes.append(f"without GPT-2's own: {missing}")
    return tokenizers, notes


def _tokens(tokenizer: PreTrainedTokenizerFast, text: str) -> list[dict]:
    encoding = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
    )
    names = tokenizer.convert_ids_to_tokens(encoding["input_ids"])
    if isinstance(tokenizer.backend_tokenizer.decoder, decoders.ByteLevel):
        added = tokenizer.added_tokens_encoder  # these are spelt as they are
        contents = [name.encode("utf-8") if name in added else token_bytes(name) for name in names]
    else:  # other kinds say only which characters of the text a token covers
        contents = [text[start:end].encode("utf-8") for start, end in encoding["offset_mapping"]]
    pairs = zip(encoding["input_ids"], contents)
    return [{"id": id, "text": readable(content), "bytes": content.hex(" ")} for id, content in pairs]
