"""The documents of a corpus, one after another, from files or from a data set: never more than a few in memory.

The order is that of the sorted file names and of the lines in them, or that of the data set: the same at every run.
The line end of Windows, `\\r\\n`, is read as `\\n`.
"""

import codecs
import glob
import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from hf_llm.config import UserError, require, typed, user_path, written
from hf_llm.data import find
from hf_llm.tokenization.config import PrepareCorpusConfig

_TEXT, _LINES = (".txt", ".md", ".text"), (".jsonl", ".json", ".ndjson")
_KINDS = (*_TEXT, *_LINES, ".parquet")
_CHUNK = 1 << 23  # characters read at once
_LONGEST = 1 << 30  # characters of one document


class Document(NamedTuple):
    """A text and where it stands, for messages."""

    text: str
    where: str
    windows_line_ends: bool = False  # whether there was "\r\n", which `text` has as "\n"


def read_documents(config: PrepareCorpusConfig) -> Iterator[Document]:
    """Yield every document of the configured source.

    Raises:
        UserError: When a file or the data set cannot be read or has no text where it should have one.
    """
    if config.dataset:
        yield from _stream(config)
        return
    for path in find_files(config.files):
        try:
            if _kind(path) in _TEXT:
                yield from _from_text(path, config.document_separator)
            else:
                read = _from_lines if _kind(path) in _LINES else _from_parquet
                yield from read(path, config.text_field)
        except (OSError, EOFError) as error:  # gzip raises both
            raise UserError(f"{path} cannot be read: {error}") from None


def find_files(patterns: list[str]) -> list[Path]:
    """Return the files that names, folders (with all below) and glob patterns mean, each one's sorted.

    Raises:
        UserError: When one means no file, or a file of an unknown kind.
    """
    files = []
    for pattern in patterns:
        path = user_path(pattern)
        if path.is_dir():
            below = (file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
            found = sorted(file for file in below if _kind(file) in _KINDS)
        elif glob.has_magic(pattern):
            found = sorted(map(Path, glob.glob(str(path), recursive=True)))
        else:
            found = find(pattern)
        require(bool(found), f"{pattern} holds no text, JSON lines or parquet file; name files, a folder or a pattern")
        files += found
    for file in files:
        require(os.path.isfile(file), f"{file} is no file that can be read; name one")  # a pipe would wait for ever
        said = f"{file} is of an unknown kind; it should end in {', '.join(_KINDS)} (or .gz after it)"
        require(_kind(file) in _KINDS, said)
    return files


def _kind(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _open(path: Path):
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else open(path, "rb")


def _from_text(path: Path, separator: str | None) -> Iterator[Document]:
    """The whole file, or what stands between separators, without the white space around these."""
    decoder, rest, count = codecs.getincrementaldecoder("utf-8-sig")(), "", 0
    half, windows = "", False  # half: a "\r" at the end of a block, whose "\n" may begin the next one
    with _open(path) as file:
        while block := file.read(_CHUNK):
            require(b"\0" not in block, f"{path} is a binary file, not a text; name UTF-8 text files")
            text = half + _decoded(path, decoder, block)
            half, windows = text[len(text.removesuffix("\r")) :], windows or "\r\n" in text
            rest += text.removesuffix("\r").replace("\r\n", "\n")
            if separator:
                *complete, rest = rest.split(separator)
                for text in complete:
                    count += 1
                    yield Document(text.strip(), f"document {count} of {path}", windows)
            require(
                len(rest) <= _LONGEST,
                f"{path} has a document of more than {_LONGEST:,} characters; "
                f"say what separates its documents: {written('document_separator')}",
            )
    rest += half + _decoded(path, decoder, b"")
    where = f"document {count + 1} of {path}" if separator else str(path)
    yield Document(rest.strip() if separator else rest, where, windows)


def _decoded(path: Path, decoder: codecs.IncrementalDecoder, block: bytes) -> str:
    try:
        return decoder.decode(block, final=not block)
    except UnicodeDecodeError:
        convert = typed("iconv", "-f", "latin1", "-t", "utf-8", path)
        raise UserError(f"{path} is not UTF-8; if it is Latin-1, convert it with: {convert} > utf8.txt") from None


def _from_lines(path: Path, text_field: str) -> Iterator[Document]:
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            where = f"line {number} of {path}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:  # no JSON, or no UTF-8
                raise UserError(f"{where} is not JSON; each line must be one JSON object") from None
            yield _document(row, text_field, where)


def _from_parquet(path: Path, text_field: str) -> Iterator[Document]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        columns = file.schema_arrow.names
        require(text_field in columns, _no_field(text_field, str(path), columns))
        batches = file.iter_batches(batch_size=1000, columns=[text_field])
        for number, row in enumerate(chain.from_iterable(batch.to_pylist() for batch in batches), 1):
            yield _document(row, text_field, f"row {number} of {path}")
    except pyarrow.ArrowException as error:
        raise UserError(f"{path} cannot be read as parquet: {error}") from None


def pin(config: PrepareCorpusConfig) -> PrepareCorpusConfig:
    """Put the commit in the place of the data set's branch, so that the corpus says exactly what it was made from."""
    if not config.dataset or Path(config.dataset).is_dir():
        return config
    from huggingface_hub import HfApi

    with _hub_sentence(config.dataset):
        commit = HfApi().dataset_info(config.dataset, revision=config.dataset_revision).sha
    return replace(config, dataset_revision=commit)


def _stream(config: PrepareCorpusConfig) -> Iterator[Document]:
    """The rows of a data set as `datasets` streams them: each file is fetched once and kept nowhere."""
    from datasets import load_dataset

    revision = None if Path(config.dataset).is_dir() else config.dataset_revision
    with _hub_sentence(config.dataset):
        options = {"split": config.dataset_split, "revision": revision, "streaming": True}
        rows = load_dataset(config.dataset, config.dataset_config, **options)
        for number, row in enumerate(rows, 1):
            yield _document(row, config.text_field, f"row {number} of {config.dataset}")


@contextmanager
def _hub_sentence(dataset: str) -> Iterator[None]:
    """Turn whatever the network, the Hub or a file format raises into one clear message."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"the data set {dataset} cannot be streamed: {reason}") from None


def _document(row: dict, text_field: str, where: str) -> Document:
    require(isinstance(row, dict) and text_field in row, _no_field(text_field, where, row))
    text = row[text_field]
    require(text is None or isinstance(text, str), f"{text_field!r} in {where} is not a text but {text!r:.60}")
    text = text or ""
    return Document(text.replace("\r\n", "\n"), where, "\r\n" in text)


def _no_field(text_field: str, where: str, known) -> str:
    names = ", ".join(map(str, known)) if isinstance(known, (dict, list)) else "no fields"
    return f"there is no field {text_field!r} in {where}, which has {names}; name one: {written('text_field')}"
