"""MNIST's file format, read strictly: what is not exactly such a file is refused, in one sentence that names it."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_llm.config import UserError
from hf_llm.data.idx import BLOCK, IMAGES, LABELS, read_idx


def idx(*sizes: int, content: bytes | None = None, magic: int | None = None) -> bytes:
    """Return an IDX file of these sizes, whose bytes count up unless others are given."""
    count = int(np.prod(sizes))
    content = (np.arange(count) % 251).astype(np.uint8).tobytes() if content is None else content
    return struct.pack(f">{len(sizes) + 1}I", 0x0800 + len(sizes) if magic is None else magic, *sizes) + content


@pytest.fixture
def file(tmp_path, put):
    """Return a function that writes a file (a name in .gz is compressed) and returns its path."""
    return lambda content, name="train-images.gz": put(tmp_path, name, content)


def refusal(path, dimensions=IMAGES) -> str:
    with pytest.raises(UserError) as error:
        read_idx(path, dimensions)
    sentence = str(error.value)
    assert sentence.startswith(f"{path} ")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path} ")


@pytest.mark.parametrize("name", ["file.gz", "file"])
def test_arrays_come_back_as_they_were_written(file, name):
    images = read_idx(file(idx(3, 4, 5), name), IMAGES)
    assert (images.shape, images.dtype) == ((3, 4, 5), np.uint8)
    assert images.ravel().tolist() == list(range(60))
    assert images[1, 2, 3] == 20 + 2 * 5 + 3  # image, row, column
    labels = read_idx(file(idx(7), name), LABELS)
    assert (labels.shape, labels.dtype) == ((7,), np.uint8)
    assert labels.tolist() == list(range(7))


def test_a_file_of_more_than_one_block(file):
    content = np.random.default_rng(0).integers(0, 256, 2 * BLOCK + 17, np.uint8)
    path = file(idx(len(content), content=content.tobytes()))
    assert (read_idx(path, LABELS) == content).all()


def test_compression_is_seen_in_the_content_and_not_only_in_the_name(file):
    path = file(gzip.compress(idx(2, 3, 3)), "train-images")
    assert read_idx(path, IMAGES).shape == (2, 3, 3)


@pytest.mark.parametrize("name", ["file.gz", "file"])
@pytest.mark.parametrize(
    ("content", "dimensions", "sentence"),
    [
        (b"", IMAGES, "is empty"),
        (idx(2, 3, 3)[:3], IMAGES, "starts with 0x000008, where IDX images (0x00000803) belong"),
        (idx(2, 3, 3)[:4], IMAGES, "ends within its header"),
        (idx(2, 3, 3)[:15], IMAGES, "ends within its header"),
        (idx(2)[:7], LABELS, "ends within its header"),
        (idx(2, 3, 3), LABELS, "holds IDX images, where IDX labels (0x00000801) belong"),
        (idx(18), IMAGES, "holds IDX labels, where IDX images (0x00000803) belong"),
        (idx(2, 3, 3, magic=0x0D03), IMAGES, "starts with 0x00000d03"),  # floats
        (idx(2, 3, 3)[::-1], IMAGES, "starts with 0x11100f0e"),
        (b"\x89PNG\r\n\x1a\n", IMAGES, "starts with 0x89504e47"),
        (idx(2, 3, 3)[:-1], IMAGES, "is too short: its header promises 18 bytes (2 x 3 x 3), 17 follow"),
        (idx(2, 3, 3) + b"\0", IMAGES, "is too long: its header promises 18 bytes (2 x 3 x 3), more follow"),
        (idx(9)[:-9], LABELS, "is too short: its header promises 9 bytes (9), 0 follow"),
        (idx(9) + bytes(5000), LABELS, "is too long"),
        (idx(0), LABELS, "is an empty array"),
        (idx(2**32 - 1, 2**32 - 1, 0, content=b""), IMAGES, "is an empty array"),
    ],
)
def test_what_is_no_such_array(file, name, content, dimensions, sentence):
    assert refusal(file(content, name), dimensions).startswith(sentence)


@pytest.mark.parametrize("sizes", [(2**32 - 1, 28, 28), (2**32 - 1,) * 3], ids=["3 TB", "overflow"])
@pytest.mark.parametrize("name", ["file.gz", "file"])
def test_a_header_cannot_make_us_allocate(file, name, sizes):
    path = file(struct.pack(">4I", 0x0803, *sizes) + bytes(100), name)
    tracemalloc.start()
    assert f"is too short: its header promises {sizes[0] * sizes[1] * sizes[2]:,} bytes" in refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * BLOCK


def test_a_small_header_before_a_flood_reads_no_flood(file):
    path = file(idx(2, 3, 3) + bytes(64 * BLOCK))  # 64 MB, which gzip holds in 65 KB
    tracemalloc.start()
    assert refusal(path).startswith("is too long")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * BLOCK


def test_every_cut_of_a_compressed_file_is_noticed(file):
    path = file(idx(3, 4, 5))
    packed = path.read_bytes()
    for length in range(2, len(packed)):
        path.write_bytes(packed[:length])
        assert refusal(path).startswith("is cut off")


def test_a_wrong_check_sum_is_noticed(file):
    path = file(idx(3, 4, 5))
    packed = bytearray(path.read_bytes())
    packed[-8] ^= 1  # of the CRC, which follows the compressed bytes
    path.write_bytes(packed)
    assert refusal(path).startswith("is damaged (CRC check failed")


@given(st.integers(0, 10**6), st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_array(tmp_path_factory, place, bit):
    path = tmp_path_factory.mktemp("idx") / "images.gz"
    packed = bytearray(gzip.compress(idx(3, 4, 5), mtime=0))
    packed[place % len(packed)] ^= 1 << bit
    path.write_bytes(packed)
    try:
        array = read_idx(path, IMAGES)
    except UserError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:  # a bit of gzip's header that says nothing about the content, like the time
        assert array.tobytes() == idx(3, 4, 5)[16:]


def test_garbage_after_the_compressed_stream(file):
    path = file(idx(3, 4, 5))
    path.write_bytes(path.read_bytes() + b"garbage")
    assert refusal(path).startswith("is damaged (Not a gzipped file")


def test_not_gzip_in_spite_of_its_name(file):
    path = file(b"")
    path.write_bytes(idx(3, 4, 5))
    assert refusal(path).startswith("is not compressed by gzip, as its name says")
    path.write_bytes(b"")
    assert refusal(path).startswith("is empty")


def test_missing_and_folder(tmp_path):
    assert refusal(tmp_path / "none.gz") == "cannot be read: No such file or directory"
    assert refusal(tmp_path).startswith("cannot be read")
