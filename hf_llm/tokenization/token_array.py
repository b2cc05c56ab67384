"""A corpus as one long line of token ids, in memory or in files larger than memory, and how these are written.

Training wants a window of consecutive tokens at any place. The files of a large corpus are mapped, not read: only
the pages that a window touches are loaded, and the shards behave as one array.

>>> tokens = TokenArray([np.array([5, 6, 7], np.uint16), np.array([8, 9], np.uint16)])
>>> tokens.window(2, 3)
array([7, 8, 9])
"""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hf_llm.config import UserError, quoted, require, written
from hf_llm.runs.atomic import file_sha256

BUFFER = 1 << 20  # ids: what a shard is written in, and read in where all of it is wanted


class TokenArray:
    """The concatenation of `shards`, each of shape (tokens,) and an unsigned type."""

    def __init__(self, shards: list[np.ndarray]):
        self.shards = shards
        self.ends = np.cumsum([len(shard) for shard in shards], dtype=np.int64)  # (shards,)

    @classmethod
    def load(cls, folder: str | Path, split: str) -> "TokenArray":
        """Map the files `split-00000.npy`, `split-00001.npy`, … of a folder that hf-llm prepare_corpus wrote.

        Raises:
            UserError: When there are none, or one is damaged.
        """
        paths = sorted(Path(folder).glob(f"{split}-*.npy"))
        require(bool(paths), f"{folder} holds no {split} tokens; make it with hf-llm prepare_corpus")
        return cls([_map(path) for path in paths])

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def window(self, start: int, length: int) -> np.ndarray:
        """Return tokens `start` to `start + length`, shape (length,), int64 as torch's embeddings want them.

        Raises:
            IndexError: When the window reaches outside the array.
        """
        if not 0 <= start <= start + length <= len(self):
            raise IndexError(f"tokens {start} to {start + length} of {len(self)}")
        window = np.empty(length, np.int64)
        filled = 0
        shard = int(np.searchsorted(self.ends, start, side="right"))  # the first that ends after `start`
        while filled < length:
            offset = start + filled - (int(self.ends[shard]) - len(self.shards[shard]))
            part = self.shards[shard][offset : offset + length - filled]
            window[filled : filled + len(part)] = part
            filled += len(part)
            shard += 1
        return window

    def at(self, places: np.ndarray) -> np.ndarray:
        """Return the tokens at `places`, any order, both (any,); int64."""
        tokens, shards = np.empty(len(places), np.int64), np.searchsorted(self.ends, places, side="right")
        for shard in np.unique(shards):
            here = shards == shard
            begin = self.ends[shard] - len(self.shards[shard])
            tokens[here] = self.shards[shard][places[here] - begin]
        return tokens

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[np.ndarray]:
        """Yield tokens `start` to `end` as views of the shards, (at most `BUFFER`,) each, in the shards' type."""
        end, begin = len(self) if end is None else end, 0  # begin: of the shard, in the whole
        for shard in self.shards:
            of_shard = shard[max(0, start - begin) : max(0, end - begin)]
            yield from (of_shard[i : i + BUFFER] for i in range(0, len(of_shard), BUFFER))
            begin += len(shard)


def _map(path: Path) -> np.ndarray:
    try:
        try:
            tokens = np.load(path, mmap_mode="r", allow_pickle=False)
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            tokens = np.load(path, mmap_mode="c", allow_pickle=False)  # some FUSE disks have private maps alone
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} is damaged ({quoted(error)}); prepare the corpus again") from None
    require(tokens.ndim == 1 and tokens.dtype.kind == "u", f"{path} holds no token ids; prepare the corpus again")
    return tokens


class ShardWriter:
    """Writes `split-00000.npy`, `split-00001.npy`, … of `shard_tokens` ids each, the last one shorter."""

    def __init__(self, folder: Path, split: str, dtype: np.dtype, shard_tokens: int):
        self.folder, self.split, self.shard_tokens = folder, split, shard_tokens
        self.buffer = np.empty(min(shard_tokens, BUFFER), dtype)
        self.filled = self.written = 0  # ids in the buffer; in the file of the shard that is being written
        self.tokens, self.files = 0, {}  # ids added so far; {file name: {tokens, sha256}}

    def add(self, tokens: np.ndarray) -> None:
        """Append ids, shape (any,)."""
        self.tokens += len(tokens)
        while len(tokens):
            room = min(len(self.buffer), self.shard_tokens - self.written)
            part = tokens[: room - self.filled]
            self.buffer[self.filled : self.filled + len(part)] = part
            self.filled += len(part)
            tokens = tokens[len(part) :]
            if self.filled == room:
                self._write()

    def close(self) -> dict[str, dict]:
        """Write what is left and return {file name: {tokens, sha256}}."""
        if self.filled:
            self._write()
        if self.written:
            self._finish()
        return self.files

    def _write(self) -> None:
        """Append the buffer to the shard's file, which is closed in between."""
        with open(self._path(), "ab" if self.written else "wb") as file:
            if not self.written:
                self._write_header(file)
            file.write(self.buffer[: self.filled])
        self.written, self.filled = self.written + self.filled, 0
        if self.written == self.shard_tokens:
            self._finish()

    def _finish(self) -> None:
        path = self._path()
        with open(path, "r+b") as file:
            self._write_header(file)
        self.files[path.name] = {"tokens": self.written, "sha256": file_sha256(path)}
        self.written = 0

    def _path(self) -> Path:
        require(len(self.files) < 100_000, f"more than 100,000 shards; choose a greater {written('shard_tokens')}")
        return self.folder / f"{self.split}-{len(self.files):05d}.npy"  # read back in the order of the names

    def _write_header(self, file: BinaryIO) -> None:
        """Write what `numpy.save` begins a file with; numpy leaves room in it for any length."""
        kind = np.lib.format.dtype_to_descr(self.buffer.dtype)
        header = {"descr": kind, "fortran_order": False, "shape": (self.written,)}
        np.lib.format.write_array_header_1_0(file, header)
