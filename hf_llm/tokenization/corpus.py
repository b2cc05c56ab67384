"""A corpus ready for training: two token arrays, and what a manifest must know of the text behind them.

A small text is encoded where it is used (`corpus_from_text`); a large corpus is prepared once by
scripts/prepare_corpus.py and then mapped (`load_corpus`). Training sees no difference.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from hf_llm.config import UserError, require
from hf_llm.data import Text, split_text
from hf_llm.tokenization.bpe import encode_document, tokenizer_sha256
from hf_llm.tokenization.token_array import TokenArray

CORPUS_FILE = "corpus.json"


@dataclass(frozen=True)
class Corpus:
    """Token arrays with their origin.

    Attributes:
        name: The named source, file or folder.
        sha256: Of the text's UTF-8 bytes (`prepare.py` says how several documents are hashed).
        bytes: UTF-8 bytes of both splits, without the tokens that begin documents.
        validation_bytes: UTF-8 bytes of the validation split.
        train: Tokens to learn from; each document begins with the tokenizer's start token.
        validation: Tokens never trained on, of the same form.
    """

    name: str
    sha256: str
    bytes: int
    validation_bytes: int
    train: TokenArray
    validation: TokenArray


def corpus_from_text(text: Text, tokenizer: PreTrainedTokenizerFast, validation_fraction: float = 0.1) -> Corpus:
    """Encode a text whose last `validation_fraction` (of characters) is for validation.

    Raises:
        UserError: When one of the two parts would be empty.
    """
    require(0 < validation_fraction < 1, f"validation_fraction {validation_fraction} is not between 0 and 1")
    train, validation = split_text(text.text, validation_fraction)
    require(bool(train and validation), f"{text.name} is too short to be split for training and validation")
    return Corpus(
        name=text.name,
        sha256=text.sha256,
        bytes=text.bytes,
        validation_bytes=len(validation.encode("utf-8")),
        train=TokenArray([encode_document(tokenizer, train)]),
        validation=TokenArray([encode_document(tokenizer, validation)]),
    )


def load_corpus(folder: str | Path, tokenizer: PreTrainedTokenizerFast) -> Corpus:
    """Map a folder that scripts/prepare_corpus.py wrote; its own tokenizer lies in the same folder.

    Raises:
        UserError: When the folder is no such corpus, is incomplete, or was encoded by another tokenizer.
    """
    folder = Path(folder)
    try:
        meta = json.loads((folder / CORPUS_FILE).read_text(encoding="utf-8"))
        splits = meta["splits"]
        made_with = meta["tokenizer"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{folder} is not a prepared corpus (no readable {CORPUS_FILE}); make one with scripts/prepare_corpus.py"
        ) from None
    require(
        made_with == tokenizer_sha256(tokenizer),
        f"{folder} was encoded by another model's tokenizer than the given one; "
        f"use the tokenizer in {folder}, or prepare the corpus again with this one",
    )
    arrays = {split: TokenArray.load(folder, split) for split in ("train", "validation")}
    for split, tokens in arrays.items():
        expected = splits[split]["tokens"]
        require(
            len(tokens) == expected,
            f"{folder} holds {len(tokens)} of {expected} {split} tokens; copy or prepare it again",
        )
    return Corpus(
        name=meta["name"],
        sha256=meta["sha256"],
        bytes=meta["bytes"],
        validation_bytes=splits["validation"]["bytes"],
        **arrays,
    )
