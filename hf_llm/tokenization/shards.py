"""Writing a long line of token ids as files of equal length, with one file's worth of memory."""

from pathlib import Path

import numpy as np

from hf_llm.config import require
from hf_llm.runs.atomic import file_sha256


class ShardWriter:
    """Writes `split-00000.npy`, `split-00001.npy`, … of `shard_tokens` ids each, the last one shorter.

    Attributes:
        tokens: Ids added so far.
    """

    def __init__(self, folder: Path, split: str, dtype: np.dtype, shard_tokens: int):
        self.folder, self.split = folder, split
        self.buffer = np.empty(shard_tokens, dtype)  # takes memory only as it fills
        self.filled = 0
        self.tokens = 0
        self.files = {}

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
        require(len(self.files) < 100_000, "more than 100,000 shards; choose a greater --shard_tokens")
        path = self.folder / f"{self.split}-{len(self.files):05d}.npy"  # read back in the order of the names
        np.save(path, self.buffer[: self.filled], allow_pickle=False)
        self.files[path.name] = {"tokens": self.filled, "sha256": file_sha256(path)}
        self.filled = 0
