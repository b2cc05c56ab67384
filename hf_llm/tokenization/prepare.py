"""A large corpus becomes token arrays, once: read in one pass, split by document, written in shards.

    output_dir/
        train-00000.npy, train-00001.npy, …, validation-00000.npy     token ids, each document begun by its token
        corpus.json                                                   origin, hashes, counts
        tokenizer.json, tokenizer_config.json                         what made the ids

A document is for validation when a hash of its text says so: neither the order of the documents nor how many there
are changes its side, and copies of one text are all on the same. The corpus's own SHA-256 is over the documents in
order: each one's length in bytes (8 bytes, big-endian), then its UTF-8 bytes. Memory holds a batch of pieces and the
longest document a few times, whatever the size of the corpus; what the tokenizer is trained on lies on the disk
meanwhile.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from hf_llm.config import require, written
from hf_llm.data.reading import Reading
from hf_llm.runs.atomic import write_json
from hf_llm.tokenization.config import PrepareCorpusConfig
from hf_llm.tokenization.corpus import CORPUS_FILE, SPLITS
from hf_llm.tokenization.documents import pin, read_documents
from hf_llm.tokenization.folder import TOKENIZER_FILES, new_folder
from hf_llm.tokenization.hashed import DocumentFile, HashedDocument, hashed
from hf_llm.tokenization.lossless import Changes, changes, say_changes
from hf_llm.tokenization.token_array import ShardWriter
from hf_llm.tokenization.tokenizer import (
    BYTES_VOCAB_SIZE,
    document_start,
    encode_pieces,
    load_tokenizer,
    token_dtype,
    tokenizer_sha256,
    train_bpe,
)

CORPUS_FILES = (CORPUS_FILE, *(f"{split}-*.npy" for split in SPLITS), *TOKENIZER_FILES)


def prepare_corpus(config: PrepareCorpusConfig, reading: Reading | None = None) -> dict:
    """Write the corpus folder, whole or not at all, and return what corpus.json says; `reading` counts what was read.

    Raises:
        UserError: For a source, tokenizer or folder that will not do, or when a split would be empty.
    """
    config, reading = pin(config), reading or Reading()
    with new_folder(config.output_dir, "prepared corpus", CORPUS_FILES, config.overwrite) as folder:
        documents = hashed(read_documents(config, reading), config.max_bytes, reading)
        with closing(DocumentFile(folder)) as kept:
            tokenizer, sample = _tokenizer(config, documents, kept)
            meta, found = _write(config, folder, tokenizer, chain(kept, documents))
        say_changes(config.output_dir, found)
        said = {"changes": str(found.sentence())} if found else {}
        meta["tokenizer"] = {"sha256": tokenizer_sha256(tokenizer), "vocab_size": len(tokenizer), **sample, **said}
        tokenizer.save_pretrained(folder)
        meta["read"] = reading.facts()
        write_json(folder / CORPUS_FILE, meta)
    return meta


def _tokenizer(
    config: PrepareCorpusConfig, documents: Iterator[HashedDocument], kept: DocumentFile
) -> tuple[PreTrainedTokenizerFast, dict]:
    """Return the tokenizer and a record of its origin; documents that were read for its training are `kept`."""
    if config.tokenizer is not None:
        return load_tokenizer(config.tokenizer), {"name": config.tokenizer}
    count = size = 0
    for document in documents:
        kept.add(document)
        if document.thousandth >= config.validation_per_mille:
            count, size = count + 1, size + len(document.content)
            if size >= config.tokenizer_sample_bytes:
                break
    sample = (document.text for document in kept if document.thousandth >= config.validation_per_mille)
    # without a sample `_check_splits` will refuse the corpus, and no warning about the vocabulary should come before
    tokenizer = train_bpe(sample, config.vocab_size if count else BYTES_VOCAB_SIZE)
    return tokenizer, {"sample_documents": count, "sample_bytes": size}


def _write(
    config: PrepareCorpusConfig, folder: Path, tokenizer: PreTrainedTokenizerFast, documents: Iterable[HashedDocument]
) -> tuple[dict, Changes]:
    dtype = token_dtype(tokenizer)
    start = np.array([document_start(tokenizer)], dtype)
    writers = {split: ShardWriter(folder, split, dtype, config.shard_tokens) for split in SPLITS}
    splits = {split: {"documents": 0, "bytes": 0} for split in SPLITS}
    digest, thousandths, windows_line_ends, found = hashlib.sha256(), set(), False, Changes()
    sides = deque()  # of the documents that are being encoded, first to last

    def texts() -> Iterator[list[str]]:
        nonlocal windows_line_ends
        for document in documents:
            split = SPLITS[document.thousandth < config.validation_per_mille]
            splits[split]["documents"] += 1
            splits[split]["bytes"] += len(document.content)
            digest.update(len(document.content).to_bytes(8, "big"))  # so that the borders count
            digest.update(document.content)
            thousandths.add(document.thousandth)
            windows_line_ends |= document.windows_line_ends
            sides.append(split)
            yield [document.text]

    bar = tqdm(total=config.max_bytes or None, unit="B", unit_scale=True, desc="encoding", disable=None)
    last = None
    for place, piece, tokens in encode_pieces(tokenizer, texts()):
        if place != last:
            last, writer = place, writers[sides.popleft()]
            writer.add(start)
        writer.add(tokens)
        found += changes(tokenizer, piece, tokens)
        bar.update(len(piece.encode("utf-8")))
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
