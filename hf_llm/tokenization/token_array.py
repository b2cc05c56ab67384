"""A corpus as one long line of token ids, in memory or in files larger than memory, and how these are written.

Training wants a window of consecutive tokens at any place. The files of a large corpus are mapped, not read: only
the pages that a window touches are loaded, and the shards behave as one array.

>>> tokens = TokenArray([np.array([5, 6, 7], np.uint16), np.array([8, 9], np.uint16)])
>>> tokens.window(2, 3)
array([7, 8, 9])
"""

import errno
from pathlib import Path

import numpy as np

from hf_llm.config import UserError, quoted, require, written
from hf_llm.runs.atomic import file_sha256


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
        self.folder, self.split = folder, split
        self.buffer = np.empty(shard_tokens, dtype)  # takes memory only as it fills
        self.filled = 0
        self.tokens, self.files = 0, {}  # ids added so far; {file name: {tokens, sha256}}

    def add(self, tokens: np.ndarray) -> None:
        """Append ids, shape (any,)."""
        self.tokens += len(tokens)
        while len(tokens):
            part = tokens[: len(self.buffer) - self.filled]
            self.buffer[self.filled : self.filled + len(part)] = part
            self.filled += len(part)
            tokens = tokens[len(part) :]
            if self.filled == len(self.buffer):
                self._write()

    def close(self) -> dict[str, dict]:
        """Write what is left and return {file name: {tokens, sha256}}."""
        if self.filled:
            self._write()
        return self.files

    def _write(self) -> None:
        require(len(self.files) < 100_000, f"more than 100,000 shards; choose a greater {written('shard_tokens')}")
        path = self.folder / f"{self.split}-{len(self.files):05d}.npy"  # read back in the order of the names
        np.save(path, self.buffer[: self.filled], allow_pickle=False)
        self.files[path.name] = {"tokens": self.filled, "sha256": file_sha256(path)}
        self.filled = 0
