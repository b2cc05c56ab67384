"""IDX, the file format of MNIST: a magic number, the sizes, then the bytes of the array and nothing more.

    images  00 00 08 03 | count | 28 | 28 | count·28·28 bytes      08: unsigned bytes; 03: three dimensions
    labels  00 00 08 01 | count           | count bytes            every size: 4 bytes, big-endian

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", file formats.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hf_llm.config import UserError, require
from hf_llm.data.content import refuse_pointer
from hf_llm.texts import both

IMAGES, LABELS = 3, 1  # dimensions
KINDS = {b"\0\0\x08\x03": "IDX images", b"\0\0\x08\x01": "IDX labels"}
GZIP = b"\x1f\x8b"
BLOCK = 1 << 20


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes, plain or gzipped: uint8 (N, height, width), or (N,) of 1 dimension.

    Raises:
        UserError: When the file cannot be read, is damaged, is not the array it should be, is shorter or longer than
            its header says, or holds nothing.
    """
    refuse_pointer(path)
    try:
        with open(path, "rb") as file:
            start = file.read(len(GZIP))
            packed = start == GZIP
            require(
                packed or start == b"" or path.suffix != ".gz",
                f"{path} is not compressed by gzip, as its name says; replace it, or take .gz off its name",
            )
            file.seek(0)
            if not packed:
                return _read_array(file, path, dimensions)
            with gzip.open(file) as unpacked:
                return _read_array(unpacked, path, dimensions)
    except EOFError:
        raise UserError(both("data.cut_off", path=path)) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(both("data.damaged_copy", path=path, error=error)) from None
    except OSError as error:
        raise UserError(both("data.unreadable", path=path, error=error.strerror or error)) from None


def _read_array(file: BinaryIO, path: Path, dimensions: int) -> np.ndarray:
    magic, header = file.read(4), file.read(4 * dimensions)
    expected = bytes([0, 0, 8, dimensions])
    require(magic != b"", f"{path} is empty; copy or download it again")
    require(
        magic == expected,
        f"{path} {f'holds {KINDS[magic]}' if magic in KINDS else f'starts with 0x{magic.hex()}'}, where "
        f"{KINDS[expected]} (0x{expected.hex()}) belong; put the original file under that name",
    )
    require(len(header) == 4 * dimensions, f"{path} ends within its header; copy or download it again")
    shape = np.frombuffer(header, ">u4").tolist()
    size = math.prod(shape)  # Python's integers, which do not overflow
    promised = f"its header promises {size:,} bytes ({' x '.join(map(str, shape))})"
    require(size > 0, f"{path} is an empty array: {promised}; put the original file under that name")

    # block by block: what is allocated follows the bytes that are there, not the ones that the header promises;
    # one byte beyond the last shows that there is more, and makes gzip check its sum
    content = bytearray()
    while block := file.read(min(BLOCK, size + 1 - len(content))):
        content += block
    require(
        len(content) >= size, f"{path} is too short: {promised}, {len(content):,} follow; copy or download it again"
    )
    require(len(content) <= size, f"{path} is too long: {promised}, more follow; replace it by the original file")
    return np.frombuffer(content, np.uint8).reshape(shape)
