"""Xet's content store for the fake Hub: it takes xorbs and shards as hf_xet sends them, and puts files together again.

A file is cut into chunks, chunks are packed into xorbs, and a shard says which chunks of which xorbs make up a file.
The formats are those of the Xet protocol, https://huggingface.co/docs/xet: a chunk is a header of eight bytes and its
content, plain, as LZ4, or as LZ4 of bytes in four groups; a shard is a header and records of 48 bytes.
"""

import hashlib
import struct
from dataclasses import dataclass
from itertools import pairwise

from fake_hub.messages import Refused

RECORD = 48
VERIFICATION, METADATA = 1 << 31, 1 << 30  # flags of a file in a shard: what follows its terms
PLAIN, LZ4, GROUPED_LZ4 = range(3)


@dataclass(frozen=True)
class Term:
    """Chunks `start` to `end` of a xorb, together `length` bytes."""

    xorb: str
    length: int
    start: int
    end: int


class XetStorage:
    """The xorbs and files that were uploaded; hashes are written as the protocol writes them.

    Attributes:
        xorbs: {hash: bytes as they were sent}.
        files: {hash: the terms of the file}.
        hashes: {SHA-256 of a file's content: its Xet hash}.
    """

    def __init__(self):
        self.xorbs: dict[str, bytes] = {}
        self.files: dict[str, list[Term]] = {}
        self.hashes: dict[str, str] = {}

    def add_shard(self, shard: bytes) -> None:
        """Learn the files that a shard describes.

        Raises:
            Refused: When a xorb is missing, or the chunks do not give the content that the shard promises.
        """
        at = RECORD
        while (name := shard[at : at + 32]) != b"\xff" * 32:
            flags, count = struct.unpack_from("<II", shard, at + 32)
            at += RECORD
            terms = [_term(shard, at + RECORD * number) for number in range(count)]
            at += RECORD * count * (2 if flags & VERIFICATION else 1)
            if any(term.xorb not in self.xorbs for term in terms):
                raise Refused(400, "The shard names a xorb that was not uploaded")
            self.files[_hex(name)] = terms
            if flags & METADATA:
                sha256 = _hex(shard[at : at + 32])
                at += RECORD
                if hashlib.sha256(self.content(_hex(name))).hexdigest() != sha256:
                    del self.files[_hex(name)]
                    raise Refused(400, "The content of a xorb is not what the shard promises")
                self.hashes[sha256] = _hex(name)

    def size(self, name: str) -> int:
        return sum(term.length for term in self.files[name])

    def content(self, name: str) -> bytes:
        """Return a file's bytes."""
        return b"".join(
            _unpacked(self.xorbs[term.xorb][start:end])
            for term in self.files[name]
            for start, end in pairwise(self._bounds(term)[term.start : term.end + 1])
        )

    def reconstruction(self, name: str, address: str) -> dict:
        """Return where the chunks of a file are to be fetched: below `address`, by ranges of bytes."""
        fetch = {}
        for term in self.files[name]:
            bounds = self._bounds(term)
            fetch.setdefault(term.xorb, []).append(
                {
                    "range": {"start": term.start, "end": term.end},
                    "url": f"{address}/{term.xorb}",
                    "url_range": {"start": bounds[term.start], "end": bounds[term.end] - 1},
                }
            )
        terms = [
            {"hash": term.xorb, "unpacked_length": term.length, "range": {"start": term.start, "end": term.end}}
            for term in self.files[name]
        ]
        return {"offset_into_first_range": 0, "terms": terms, "fetch_info": fetch}

    def _bounds(self, term: Term) -> list[int]:
        """Return where each chunk of the xorb starts, and where the last one ends."""
        xorb, bounds = self.xorbs[term.xorb], [0]
        while bounds[-1] < len(xorb) and len(bounds) <= term.end:
            bounds.append(bounds[-1] + 8 + int.from_bytes(xorb[bounds[-1] + 1 : bounds[-1] + 4], "little"))
        return bounds


def _term(shard: bytes, at: int) -> Term:
    _, length, start, end = struct.unpack_from("<IIII", shard, at + 32)
    return Term(_hex(shard[at : at + 32]), length, start, end)


def _hex(name: bytes) -> str:
    """Write 32 bytes as the protocol does: as four numbers, each of which is stored with its last byte first."""
    return b"".join(name[at : at + 8][::-1] for at in range(0, 32, 8)).hex()


def _unpacked(chunk: bytes) -> bytes:
    scheme, content = chunk[4], chunk[8:]
    if scheme == PLAIN:
        return content
    plain = _lz4_frame(content)
    if scheme == LZ4:
        return plain
    grouped, at = bytearray(len(plain)), 0
    for group in range(4):
        count = len(range(group, len(plain), 4))
        grouped[group::4] = plain[at : at + count]
        at += count
    return bytes(grouped)


def _lz4_frame(frame: bytes) -> bytes:
    """Decode an LZ4 frame (github.com/lz4/lz4, doc/lz4_Frame_format.md) of blocks that may refer to those before."""
    flags, at, out = frame[4], 7 + (8 if frame[4] & 8 else 0), bytearray()
    while size := struct.unpack_from("<I", frame, at)[0]:
        at += 4
        block = frame[at : at + (size & 0x7FFFFFFF)]
        at += len(block) + (4 if flags & 16 else 0)
        if size >> 31:
            out += block
        else:
            _lz4_block(block, out)
    return bytes(out)


def _lz4_block(block: bytes, out: bytearray) -> None:
    at = 0

    def length(nibble: int) -> int:
        """Return a length that starts in four bits and goes on in bytes as long as these are full."""
        nonlocal at
        total = nibble
        if nibble == 15:
            while block[at] == 255:
                total, at = total + 255, at + 1
            total, at = total + block[at], at + 1
        return total

    while at < len(block):
        token = block[at]
        at += 1
        literals = length(token >> 4)
        out += block[at : at + literals]
        at += literals
        if at >= len(block):
            return
        distance = int.from_bytes(block[at : at + 2], "little")
        at += 2
        match = length(token & 15) + 4
        while match > 0:  # a match may overlap what it writes
            piece = out[-distance:][:match]
            out += piece
            match -= len(piece)
