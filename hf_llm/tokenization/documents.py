"""The documents of a corpus, one after another, from files or from a data set: never more than a few in memory.

The order is that of the sorted file names and of the lines in them, or that of the data set: the same at every run.
The line end of Windows, `\\r\\n`, is read as `\\n`.
"""

import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from hf_llm.config import UserError, quoted, require, written
from hf_llm.data.content import CHUNK, TextFile, read_errors, refuse_pointer
from hf_llm.data.files import find_files, kind_of
from hf_llm.data.reading import Reading
from hf_llm.data.text import ROWS
from hf_llm.tokenization.config import PrepareCorpusConfig

_TEXT = (".txt", ".md", ".text")
_KINDS = (*_TEXT, *ROWS)
_CHUNK = CHUNK
_LONGEST = 1 << 30  # characters of one document


class Document(NamedTuple):
    """A text and where it stands, for messages."""

    text: str
    where: str
    windows_line_ends: bool = False  # whether there was "\r\n", which `text` has as "\n"


def read_documents(config: PrepareCorpusConfig, reading: Reading) -> Generator[Document]:
    """Yield every document of the configured source.

    Args:
        config: Names the source.
        reading: Counts the files that were read, and what was left out.

    Raises:
        UserError: When a file or the data set cannot be read or has no text where it should have one.
    """
    if config.dataset:
        yield from _from_data_set(config, reading)
        return
    paths, opened = find_files(config.files, _KINDS, reading), 0
    try:
        for path in paths:
            opened += 1
            yield from _from_file(path, config, reading)
    finally:  # who asks for documents may stop before their end
        reading.leave_out("max_bytes", count=len(paths) - opened)


def _from_file(path: Path, config: PrepareCorpusConfig, reading: Reading) -> Iterator[Document]:
    file = TextFile(path)
    try:
        if kind_of(path) == ".parquet":
            yield from _from_parquet(path, config.text_field)
        elif kind_of(path) in _TEXT:
            yield from _from_text(file, config.document_separator)
        else:
            yield from _from_lines(file, config.text_field)
    finally:
        reading.add_file(file.encoding)


def _from_text(file: TextFile, separator: str | None) -> Iterator[Document]:
    """The whole file, or what stands between separators, without the white space around these."""
    rest, count = "", 0
    for block in file.text(_CHUNK):
        rest += block
        if separator:
            *complete, rest = rest.split(separator)
            for text in complete:
                count += 1
                yield Document(text.strip(), f"document {count} of {file.path}", file.windows_line_ends)
        require(
            len(rest) <= _LONGEST,
            f"{file.path} has a document of more than {_LONGEST:,} characters; "
            f"say what separates its documents: {written('document_separator')}",
        )
    where = f"document {count + 1} of {file.path}" if separator else str(file.path)
    yield Document(rest.strip() if separator else rest, where, file.windows_line_ends)


def _from_lines(file: TextFile, text_field: str) -> Iterator[Document]:
    """Each line is an object, or the file is one array of them."""
    lines = _lines(file)
    for number, line in enumerate(lines, 1):
        where = f"line {number} of {file.path}"
        if not line.strip():
            continue
        if line.lstrip().startswith("["):
            for place, row in enumerate(_array(line, lines, file.path), 1):
                yield _document(row, text_field, f"element {place} of {file.path}")
            return
        yield _document(_json(line, f"{where} is not JSON; each line must be one JSON object"), text_field, where)


def _lines(file: TextFile) -> Iterator[str]:
    rest = ""
    for block in file.blocks(_CHUNK):
        *complete, rest = (rest + block).split("\n")
        yield from complete
        require(len(rest) <= _LONGEST, f"{file.path} has a line of more than {_LONGEST:,} characters; it must be cut")
    yield rest


def _array(first: str, others: Iterator[str], path: Path) -> list:
    """Return the elements of the array that begins with the line `first`."""
    lines, length = [first], len(first)
    for line in others:
        lines.append(line)
        length += len(line)
        require(
            length <= _LONGEST, f"{path} is a JSON array of more than {_LONGEST:,} characters; write one row a line"
        )
    said = f"{path} begins as a JSON array and is none; write one JSON object a line"
    return _json("\n".join(lines), said)


def _json(text: str, said: str) -> dict | list:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(said) from None


def _from_parquet(path: Path, text_field: str) -> Iterator[Document]:
    import pyarrow
    import pyarrow.parquet

    refuse_pointer(path)
    number = 0
    try:
        with read_errors(path), pyarrow.parquet.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            require(text_field in columns, _no_field(text_field, str(path), columns))
            for batch in file.iter_batches(batch_size=1000, columns=[text_field]):
                for value in batch.column(0):
                    number += 1
                    yield _document({text_field: value.as_py()}, text_field, f"row {number} of {path}")
    except pyarrow.ArrowException as error:
        raise UserError(f"{path} cannot be read as parquet: {quoted(error)}") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{text_field!r} in row {number} of {path} is not UTF-8 (byte {error.start}), as parquet wants its texts; "
            "write the file again from texts that were decoded"
        ) from None


def pin(config: PrepareCorpusConfig) -> PrepareCorpusConfig:
    """Put the commit in the place of the data set's branch, so that the corpus says exactly what it was made from."""
    if not config.dataset or Path(config.dataset).is_dir():
        return config
    from huggingface_hub import HfApi

    with _hub_sentence(config.dataset):
        commit = HfApi().dataset_info(config.dataset, revision=config.dataset_revision).sha
    return replace(config, dataset_revision=commit)


def _from_data_set(config: PrepareCorpusConfig, reading: Reading) -> Iterator[Document]:
    """The rows of a data set as `datasets` streams them: each file is fetched once and kept nowhere.

    Of a text file `datasets` makes each line a row. Here the file is a document, as it is among `files`.
    """
    from datasets import load_dataset_builder

    local, split = os.path.isdir(config.dataset), config.dataset_split
    with _hub_sentence(config.dataset):
        revision = None if local else config.dataset_revision
        builder = load_dataset_builder(config.dataset, config.dataset_config, revision=revision)
    files = {str(name): list(paths) for name, paths in (builder.config.data_files or {}).items()}
    of_texts = hasattr(builder.config, "sample_by")
    if local and files:
        require(split in files, f"the data set {config.dataset} has no split {split!r} but {', '.join(files)}")
        paths = _of_split(config.dataset, files, split, reading)
        if of_texts:
            for path in paths:
                yield from _from_file(path, config, reading)
            return
    elif of_texts:
        builder.config.sample_by, builder.config.encoding = "document", "utf-8-sig"
    reading.files = len(files[split]) if split in files else None
    with _hub_sentence(config.dataset):
        for number, row in enumerate(builder.as_streaming_dataset(split), 1):
            yield _document(row, config.text_field, f"row {number} of {config.dataset}")


def _of_split(folder: str, files: dict[str, list[str]], split: str, reading: Reading) -> list[Path]:
    """Return the files of a split of a folder, and count those that lie there beside them."""
    kinds = {kind_of(path) for paths in files.values() for path in paths}
    taken = {os.path.realpath(path) for path in files[split]}
    paths = []
    for path in find_files([folder], sorted(kinds), reading):
        if os.path.realpath(path) in taken:
            paths.append(path)
        else:
            reading.leave_out("split", path)
    return paths


@contextmanager
def _hub_sentence(dataset: str) -> Iterator[None]:
    """Turn whatever the network, the Hub or a file format raises into one clear message."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"the data set {dataset} cannot be streamed: {quoted(error, most=300)}") from None


def _document(row: dict, text_field: str, where: str) -> Document:
    if not (isinstance(row, dict) and text_field in row):  # no `require`: its message would be made for every row
        raise UserError(_no_field(text_field, where, row))
    text = row[text_field]
    if not (text is None or isinstance(text, str)):
        raise UserError(f"{text_field!r} in {where} is not a text but {quoted(repr(text))}")
    text = text or ""
    return Document(text.replace("\r\n", "\n"), where, "\r\n" in text)


def _no_field(text_field: str, where: str, known) -> str:
    names = ", ".join(map(str, known)) if isinstance(known, (dict, list)) else "no fields"
    named = f"name one: {written('text_field')}"
    return f"there is no field {text_field!r} in {where}, which has {quoted(names)}; {named}"
