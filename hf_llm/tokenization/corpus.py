"""A corpus ready for training: two token arrays, and what a manifest must know of the text behind them.

A small text is encoded where it is used (`corpus_from_text`); a large corpus is prepared once by
hf-llm prepare_corpus and then mapped (`load_corpus`). `read_corpus` does what the source asks for, and training
sees no difference.
"""

import dataclasses
import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerFast

from hf_llm.config import UserError, advice, require
from hf_llm.data import Text, read_text, split_text
from hf_llm.data.content import read_utf8, refuse_pointer
from hf_llm.data.reading import Reading
from hf_llm.runs.atomic import file_sha256
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.byte_lengths import source_byte_lengths
from hf_llm.tokenization.lossless import Changes, changes, say_changes
from hf_llm.tokenization.ngram_text import text_by_ngrams
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import (
    begin_documents,
    encode_document,
    load_tokenizer,
    tokenizer_sha256,
    train_bpe,
)

logger = logging.getLogger(__name__)

CORPUS_FILE = "corpus.json"
SPLITS = ("train", "validation")
ENCODINGS = 32  # with BPE-dropout; more take seconds to make and no longer help


@dataclass(frozen=True)
class Corpus:
    """Token arrays with their origin."""

    name: str  # the named source, file or folder
    sha256: str  # as in `Text` (`prepare.py` says how several documents are hashed)
    bytes: int  # in UTF-8, of both splits, without the tokens that begin documents
    validation_bytes: int  # of them in the validation split
    held_out: str  # which part of the whole that split is, as a phrase
    train: TokenArray  # to learn from; each document begins with the tokenizer's start token
    validation: TokenArray  # never trained on, of the same form
    tokenizer: PreTrainedTokenizerFast  # what encoded both; read by `read_corpus` it begins documents by itself, too
    windows_line_ends: bool = False  # as in `Text`
    reading: Reading = field(default_factory=Reading)  # the account of what was read
    changes: str = ""  # what the tokenizer changes in the text, as a sentence; "" for nothing
    encodings: int = 1  # how often `train` has the text, each time encoded anew
    written: int = 0  # shards at the end of `train` that n-grams of the text wrote

    @property
    def train_once(self) -> TokenArray:
        """The training text, encoded once."""
        return TokenArray(self.train.shards[: (len(self.train.shards) - self.written) // self.encodings])

    def byte_lengths(self) -> np.ndarray:
        """Return how many bytes of the validation text each id stands for, (vocab,): `source_byte_lengths`."""
        return source_byte_lengths(self.tokenizer, self.validation.blocks(1), self.validation_bytes)

    def facts(self) -> dict[str, dict]:
        """Return what a manifest says of the corpus and of its tokenizer."""
        data = {name: getattr(self, name) for name in ("name", "sha256", "bytes", "held_out")}
        if self.windows_line_ends:
            data["line_ends"] = r"\r\n was read as \n"
        if self.reading.encodings:
            data["encoding"] = ", ".join(self.reading.encodings)
        changes = {"changes": self.changes} if self.changes else {}
        return {
            "data": data | {"train_tokens": len(self.train), "validation_tokens": len(self.validation)},
            "tokenizer": {"sha256": tokenizer_sha256(self.tokenizer), "vocab_size": len(self.tokenizer), **changes},
        }


def read_corpus(
    source: str | Text, tokenizer: str | None, *, vocab_size: int, context: int, validation_fraction: float = 0.1,
    bpe_dropout: float = 0.0, ngram_text: float = 0.0, seed: int = 0,
) -> Corpus:  # fmt: skip
    """Read and encode a text, or map a corpus that was prepared.

    Args:
        source: A named source, a UTF-8 file, or a folder that hf-llm prepare_corpus wrote; or a text itself.
        tokenizer: As in `load_tokenizer`; None trains a BPE on the training part, or takes the prepared corpus's own.
        vocab_size: Tokens of the BPE that is trained.
        context: Tokens of one training window, which the training part must exceed.
        validation_fraction: Fraction of a text, at its end, that is for validation.
        bpe_dropout, ngram_text, seed: As in `with_more_to_read`.

    Raises:
        UserError: When the corpus or the tokenizer cannot be had, or the corpus is too short.
    """
    if not isinstance(source, Text) and os.path.exists(os.path.join(source, CORPUS_FILE)):  # Path.exists may raise
        for name, value in {"bpe_dropout": bpe_dropout, "ngram_text": ngram_text}.items():
            require(not value, f"{name} needs a text: a prepared corpus is encoded once and for all")
        loaded = begin_documents(load_tokenizer(source if tokenizer is None else tokenizer))
        corpus = load_corpus(source, loaded)
    else:
        text = source if isinstance(source, Text) else read_text(source)
        training_part, _ = split_text(text.text, validation_fraction)
        most = len(training_part.encode("utf-8")) + 1
        require(  # before a tokenizer is trained: a byte gives one token at most
            most > context,
            f"{text.name} gives at most {most} training tokens, {_too_few(context, smaller=most // 16)}",
        )
        loaded = begin_documents(
            train_bpe(training_part, vocab_size) if tokenizer is None else load_tokenizer(tokenizer)
        )
        corpus = corpus_from_text(text, loaded, validation_fraction)
        corpus = with_more_to_read(corpus, [training_part], bpe_dropout, ngram_text, seed)
    require(
        len(corpus.train) > context,
        f"{corpus.name} gives {len(corpus.train)} training tokens, {_too_few(context, smaller=len(corpus.train) // 4)}",
    )
    return corpus


def _too_few(context: int, smaller: int) -> str:
    wish = advice(n_positions=f"or set {{}} {smaller}") if 2 <= smaller < context else ""
    return f"fewer than one context of {context} and the token behind it; take a longer text{wish}"


def corpus_from_text(text: Text, tokenizer: PreTrainedTokenizerFast, validation_fraction: float = 0.1) -> Corpus:
    """Encode a text whose last `validation_fraction` (of characters) is for validation.

    Raises:
        UserError: When one of the two parts would be empty.
    """
    require(0 < validation_fraction < 1, f"validation_fraction {validation_fraction} is not between 0 and 1")
    train, validation = split_text(text.text, validation_fraction)
    require(bool(train and validation), f"{text.name} is too short to be split for training and validation")
    ids = {part: encode_document(tokenizer, part) for part in (train, validation)}
    found = sum((changes(tokenizer, part, ids[part][1:]) for part in ids), Changes())
    say_changes(text.name, found)
    return Corpus(
        name=text.name, sha256=text.sha256, bytes=text.bytes, windows_line_ends=text.windows_line_ends,
        validation_bytes=len(validation.encode("utf-8")), tokenizer=tokenizer, reading=text.reading,
        held_out=f"the last {100 * validation_fraction:.3g}% of the characters",
        train=TokenArray([ids[train]]), validation=TokenArray([ids[validation]]),
        changes=str(found.sentence()) if found else "",
    )  # fmt: skip


def with_more_to_read(corpus: Corpus, documents: list[str], bpe_dropout: float, ngram_text: float, seed: int) -> Corpus:
    """Return `corpus` with a training part in which a small text stands many times, never quite the same.

    Args:
        corpus: Whose training part is `documents`, encoded once.
        documents: What it learns from.
        bpe_dropout, seed: Of every other encoding, as in `encodings_with_dropout`; 0 leaves it at one.
        ngram_text: Share of all training tokens that byte n-grams of `documents` write, 0 to below 1.
    """
    if bpe_dropout:
        each = [encodings_with_dropout(corpus.tokenizer, one, bpe_dropout, ENCODINGS, seed) for one in documents]
        arrays = [np.concatenate(once) for once in zip(*each, strict=True)]
        corpus = dataclasses.replace(corpus, train=TokenArray(arrays), encodings=len(arrays))
    if ngram_text:
        tokens = round(len(corpus.train) * ngram_text / (1 - ngram_text))
        written = text_by_ngrams(corpus.tokenizer, documents, tokens, seed)
        corpus = dataclasses.replace(corpus, train=TokenArray([*corpus.train.shards, written]), written=1)
    return corpus


def load_corpus(folder: str | Path, tokenizer: PreTrainedTokenizerFast) -> Corpus:
    """Map a folder that hf-llm prepare_corpus wrote; its own tokenizer lies in the same folder.

    Raises:
        UserError: When the folder is no such corpus, a file is missing or damaged, or another tokenizer made it.
    """
    folder = Path(folder)
    path = folder / CORPUS_FILE
    text = read_utf8(path.read_bytes(), path) if os.access(path, os.R_OK) else ""
    try:
        meta = json.loads(text)
        made_with, splits = meta["tokenizer"]["sha256"], meta["splits"]
        facts = {name: meta[name] for name in ("name", "sha256", "bytes")}
        files = {name: file["sha256"] for split in SPLITS for name, file in splits[split]["files"].items()}
        tokens = {split: splits[split]["tokens"] for split in SPLITS}
        validation_bytes = splits["validation"]["bytes"]
        reading = Reading(len(files), meta["documents"], meta["bytes"])
        facts["windows_line_ends"] = meta.get("windows_line_ends", False)  # an earlier version left them as they were
        facts["changes"] = meta["tokenizer"].get("changes", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{folder} is not a prepared corpus (no readable {CORPUS_FILE}); make one with hf-llm prepare_corpus"
        ) from None
    require(
        made_with == tokenizer_sha256(tokenizer),
        f"{folder} was encoded by another model's tokenizer than the given one; "
        f"use the tokenizer in {folder}, or prepare the corpus again with this one",
    )
    for name, sha256 in files.items():
        path = folder / name
        require(path.is_file(), f"{path} is missing; copy or prepare the corpus again")
        refuse_pointer(path)
        # a second a gigabyte, against days of training on a flipped bit
        require(file_sha256(path) == sha256, f"{path} is damaged; copy or prepare the corpus again")
    if facts["changes"]:
        logger.warning("%s: %s", folder, facts["changes"])
    arrays = {split: TokenArray.load(folder, split) for split in SPLITS}
    for split, array in arrays.items():
        require(len(array) == tokens[split], f"{folder} holds {split} files that are not its own; prepare it again")
    return Corpus(
        **facts, validation_bytes=validation_bytes, held_out="the documents that their hash chose", tokenizer=tokenizer,
        reading=reading, **arrays,
    )  # fmt: skip
