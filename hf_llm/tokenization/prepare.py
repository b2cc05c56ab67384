"""A large corpus becomes token arrays, once: read in one pass, split by document, written in shards.

    output_dir/
        train-00000.npy, train-00001.npy, …, validation-00000.npy     token ids, each document begun by its token
        corpus.json                                                   origin, hashes, counts
        tokenizer.json, tokenizer_config.json                         what made the ids

A document is for validation when a hash of its text says so: neither the order of the documents nor how many there
are changes its side, and copies of one text are all on the same. The corpus's own SHA-256 is over the documents in
order: each one's length in bytes (8 bytes, big-endian), then its UTF-8 bytes. Memory holds the tokenizer's sample, or
a batch of documents and one shard of each split, whatever the size of the corpus.
"""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from hf_llm.config import UserError, require, written
from hf_llm.data.reading import Reading
from hf_llm.runs.atomic import write_json
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.corpus import CORPUS_FILE, SPLITS
from hf_llm.tokenization.documents import Document, pin, read_documents
from hf_llm.tokenization.folder import TOKENIZER_FILES, new_folder
from hf_llm.tokenization.lossless import Changes, changes, say_changes
from hf_llm.tokenization.pieces import batches
from hf_llm.tokenization.token_array import ShardWriter
from hf_llm.tokenization.tokenizer import (
    BYTES_VOCAB_SIZE,
    check_unicode,
    document_start,
    encode_batch,
    load_tokenizer,
    token_dtype,
    tokenizer_sha256,
    train_bpe,
)

CORPUS_FILES = (CORPUS_FILE, *(f"{split}-*.npy" for split in SPLITS), *TOKENIZER_FILES)


class _Hashed(NamedTuple):
    text: str
    content: bytes  # in UTF-8
    windows_line_ends: bool  # as in `Document`
    thousandth: int  # from 0 to 999: decides the split


def prepare_corpus(config: PrepareCorpusConfig, reading: Reading | None = None) -> dict:
    """Write the corpus folder, whole or not at all, and return what corpus.json says; `reading` counts what was read.

    Raises:
        UserError: For a source, tokenizer or folder that will not do, or when a split would be empty.
    """
    config, reading = pin(config), reading or Reading()
    with new_folder(config.output_dir, "prepared corpus", CORPUS_FILES, config.overwrite) as folder:
        documents = _hashed(read_documents(config, reading), config.max_bytes, reading)
        tokenizer, sample, documents = _tokenizer(config, documents)
        meta, found = _write(config, folder, tokenizer, documents)
        say_changes(config.output_dir, found)
        said = {"changes": str(found.sentence())} if found else {}
        meta["tokenizer"] = {"sha256": tokenizer_sha256(tokenizer), "vocab_size": len(tokenizer), **sample, **said}
        tokenizer.save_pretrained(folder)
        meta["read"] = reading.facts()
        write_json(folder / CORPUS_FILE, meta)
    return meta


def _hashed(documents: Generator[Document], max_bytes: int, reading: Reading) -> Iterator[_Hashed]:
    """Leave out empty documents, end after `max_bytes`, and hash the rest."""
    for text, where, windows_line_ends in documents:
        if not text.strip():
            reading.leave_out("empty", where)
            continue
        try:
            content = check_unicode(text).encode("utf-8")
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
        thousandth = int.from_bytes(hashlib.sha256(content).digest(), "big") % 1000
        reading.documents += 1
        reading.bytes += len(content)
        yield _Hashed(text, content, windows_line_ends, thousandth)
        if max_bytes and reading.bytes >= max_bytes:
            documents.close()
            return


def _tokenizer(config: PrepareCorpusConfig, documents: Iterator[_Hashed]):
    """Return the tokenizer, a record of its origin, and all documents, those that it was trained on included."""
    if config.tokenizer is not None:
        return load_tokenizer(config.tokenizer), {"name": config.tokenizer}, documents
    seen, size = [], 0  # a stream comes once: the sample is kept until it has been encoded too
    for document in documents:
        seen.append(document)
        size += len(document.content) if document.thousandth >= config.validation_per_mille else 0
        if size >= config.tokenizer_sample_bytes:
            break
    sample = [document for document in seen if document.thousandth >= config.validation_per_mille]
    # without a sample `_check_splits` will refuse the corpus, and no warning about the vocabulary should come before
    vocab_size = config.vocab_size if sample else BYTES_VOCAB_SIZE
    tokenizer = train_bpe((document.text for document in sample), vocab_size)
    return tokenizer, {"sample_documents": len(sample), "sample_bytes": size}, chain(seen, documents)


def _write(
    config: PrepareCorpusConfig, folder: Path, tokenizer: PreTrainedTokenizerFast, documents: Iterable[_Hashed]
) -> tuple[dict, Changes]:
    dtype = token_dtype(tokenizer)
    start = np.array([document_start(tokenizer)], dtype)
    writers = {split: ShardWriter(folder, split, dtype, config.shard_tokens) for split in SPLITS}
    splits = {split: {"documents": 0, "bytes": 0} for split in SPLITS}
    digest, thousandths, windows_line_ends, found = hashlib.sha256(), set(), False, Changes()
    bar = tqdm(total=config.max_bytes or None, unit="B", unit_scale=True, desc="encoding", disable=None)
    for batch in batches(documents, length=lambda document: len(document.text)):  # keeps several cores busy
        for document, tokens in zip(batch, encode_batch(tokenizer, [document.text for document in batch])):
            found += changes(tokenizer, document.text, tokens)
            split = SPLITS[document.thousandth < config.validation_per_mille]
            writers[split].add(start)
            writers[split].add(tokens)
            splits[split]["documents"] += 1
            splits[split]["bytes"] += len(document.content)
            digest.update(len(document.content).to_bytes(8, "big"))  # so that the borders count
            digest.update(document.content)
            thousandths.add(document.thousandth)
            windows_line_ends |= document.windows_line_ends
            bar.update(len(document.content))
        bar.set_postfix(tokens=f"{sum(writer.tokens for writer in writers.values()):,}", refresh=False)
    bar.close()
    _check_splits(splits, thousandths)
    for split, writer in writers.items():
        splits[split] |= {"tokens": writer.tokens, "files": writer.close()}
    meta = {
        "name": config.dataset or ", ".join([*config.files[:3], *(["…"] if config.files[3:] else [])]),
        "sha256": digest.hexdigest(),
        "bytes": sum(counts["bytes"] for counts in splits.values()),
        "documents": sum(counts["documents"] for counts in splits.values()),
        "windows_line_ends": windows_line_ends,
        "dtype": str(dtype),
        "splits": splits,
        "source": {name: value for name, value in asdict(config).items() if name not in ("output_dir", "overwrite")},
    }
    return meta, found


def _check_splits(splits: dict[str, dict], thousandths: set[int]) -> None:
    """Refuse an empty split, with the setting that would fill it."""
    count = sum(counts["documents"] for counts in splits.values())
    require(count > 0, "the corpus holds no text; name files or a data set with documents in them")
    require(
        count > 1,
        "the corpus is a single document, and a corpus is split by document; "
        f"say what separates its documents with {written('document_separator')}, or give more files",
    )
    require(
        len(thousandths) > 1,
        f"the {count} documents are copies of one, and copies are all on one side; give others",
    )
    none = f"none of the {count} documents is for {{}}; set {written('validation_per_mille')} to {{}}, or give more"
    require(splits["validation"]["documents"] > 0, none.format("validation", min(thousandths) + 1))
    require(splits["train"]["documents"] > 0, none.format("training", max(thousandths)))
