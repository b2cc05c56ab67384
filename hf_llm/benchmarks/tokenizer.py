"""Training and applying a byte-level BPE on a text of 100 MB: ours beside what a user would pick instead.

Seconds, megabytes a second, and the peak of memory above what the imports take; each contestant in a process of its
own, in turn. The text is made of the words of the texts at hand: drawn at random, so that the frequent ones are
frequent, and every fiftieth put together of the head of one word and the tail of another, so that new ones keep coming
as in a real text. All have as many threads as there are cores. A figure is the median of seven rounds.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from hf_llm.benchmarks.fresh_process import in_fresh_process, measured
from hf_llm.benchmarks.peak_memory import require_peak
from hf_llm.benchmarks.record import in_turn, write_result
from hf_llm.config import UserError
from hf_llm.data import is_here, read_text
from hf_llm.data.text import stream_text
from hf_llm.runs.atomic import file_sha256
from hf_llm.tokenization.pieces import pieces
from hf_llm.tokenization.readable import token_bytes
from hf_llm.tokenization.tokenizer import END_OF_TEXT, encode_pieces, load_tokenizer, train_bpe, untrained_bpe
from hf_llm.training.launch import usable_cores

logger = logging.getLogger(__name__)

SIZE, VOCAB_SIZE, ROUNDS, LINES = 100_000_000, 16_000, 7, 1000  # bytes, tokens, times, lines encoded at once
LONG = 60  # seconds: who takes more takes part once, so many times slower than the others that rounds change nothing
SOURCES = ("sample", "the-verdict", "tiny-shakespeare", "dom-casmurro")
NEW_WORDS = 1 / 50
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def run(output_dir: Path) -> None:
    """Let all train and encode in turn and write result.json; an hour on two cores."""
    require_peak()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sources = make_text(folder / "text.txt", SIZE)
        train_bpe(pieces(stream_text(str(folder / "text.txt")).blocks()), VOCAB_SIZE).save_pretrained(folder / "ours")
        write_result(
            output_dir, bytes=(folder / "text.txt").stat().st_size, sha256=file_sha256(folder / "text.txt"),
            sources=sources, vocab_size=VOCAB_SIZE, rounds=ROUNDS,
            **{work: contest(work, folder) for work in WORKS},
        )  # fmt: skip


def make_text(path: Path, size: int) -> list[str]:
    """Write about `size` bytes of paragraphs, the same from the same texts; return the names of these."""
    sources = [name for name in SOURCES if is_here(name)]
    words = np.array([word for name in sources for word in read_text(name).text.split()], dtype=object)
    random, written = np.random.default_rng(0), 0
    with open(path, "wb") as file:
        while written < size:
            heads, tails = words[random.integers(len(words), size=(2, int(random.integers(20, 500))))]
            new = random.random(len(heads)) < NEW_WORDS
            drawn = (a[: -(-len(a) // 2)] + b[len(b) // 2 :] if n else a for a, b, n in zip(heads, tails, new))
            written += file.write((" ".join(drawn) + "\n\n").encode("utf-8"))
    return sources


def contest(work: str, folder: Path) -> dict:
    """Return the median figures of each contestant of `work`, and the errors of those that fail, each named."""
    contestants, taken, failed = {}, {}, {}

    def one(name: str) -> dict:
        return in_fresh_process(__name__, work, name, str(folder))

    for name in WORKS[work]:
        try:
            first = one(name)  # fills the disk's cache, and shows who can take part
        except UserError as error:
            failed[name] = str(error)
            continue
        if "left_out" in first:
            failed[name] = first["left_out"]
            logger.warning("%s is left out: %s", name, first["left_out"])
        elif first["seconds"] > LONG:
            taken[name] = [first]
        else:
            contestants[name] = partial(one, name)
    size = (folder / "text.txt").stat().st_size
    figures = {}
    for name, rounds in {**in_turn(contestants, ROUNDS), **taken}.items():
        seconds = median(one["seconds"] for one in rounds)
        figures[name] = {
            "seconds": seconds,
            "megabytes_per_second": round(size / 1e6 / seconds, 2),
            "cpu_seconds": median(one["cpu_seconds"] for one in rounds),
            "peak_megabytes": round(median(one["peak_bytes"] for one in rounds) / 1e6),
            "tokens": rounds[0]["result"],
            "rounds": len(rounds),
        }
    return {"figures": figures, "failed": failed}


def main() -> None:
    """Do one work in this process; print one line of JSON."""
    work, name, folder = sys.argv[1:]
    try:
        prepared = WORKS[work][name](Path(folder))
    except ImportError as error:
        print(json.dumps({"left_out": str(error)}))
        return
    print(json.dumps(measured(prepared)))


# Each takes the folder of text.txt and of our tokenizer, imports what it needs, and returns what is to be measured: a
# function that returns how many tokens the vocabulary or the text has.


def train_ours(folder: Path) -> Callable[[], int]:
    return lambda: len(train_bpe(pieces(stream_text(str(folder / "text.txt")).blocks()), VOCAB_SIZE))


def train_tokenizers(how: str, folder: Path) -> Callable[[], int]:
    (tokenizer, trainer), path = untrained_bpe(VOCAB_SIZE), folder / "text.txt"

    def train() -> int:
        if how == "file":
            tokenizer.train([str(path)], trainer)
        elif how == "lines":
            with open(path, encoding="utf-8") as lines:
                tokenizer.train_from_iterator(lines, trainer)
        else:
            tokenizer.train_from_iterator([path.read_text(encoding="utf-8")], trainer)
        return tokenizer.get_vocab_size()

    return train


def train_sentencepiece(folder: Path) -> Callable[[], int]:
    import sentencepiece

    def train() -> int:
        sentencepiece.SentencePieceTrainer.train(
            input=str(folder / "text.txt"), model_prefix=str(folder / "sentencepiece"), model_type="bpe",
            vocab_size=VOCAB_SIZE, byte_fallback=True, minloglevel=2, num_threads=usable_cores(),
        )  # fmt: skip
        return sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.model")).get_piece_size()

    return train


def encode_ours(folder: Path) -> Callable[[], int]:
    tokenizer, text = load_tokenizer(folder / "ours"), stream_text(str(folder / "text.txt"))
    return lambda: sum(len(ids) for _, _, ids in encode_pieces(tokenizer, [text.blocks()]))


def encode_tokenizers(call: str, folder: Path) -> Callable[[], int]:
    encode_batch = getattr(Tokenizer.from_file(str(folder / "ours" / "tokenizer.json")), call)
    return lambda: sum(
        len(encoding.ids)
        for lines in batches_of_lines(folder)
        for encoding in encode_batch(lines, add_special_tokens=False)
    )


def encode_transformers(folder: Path) -> Callable[[], int]:
    tokenizer = AutoTokenizer.from_pretrained(folder / "ours")
    text = folder / "text.txt"
    return lambda: len(tokenizer(text.read_text(encoding="utf-8"), add_special_tokens=False)["input_ids"])


def encode_tiktoken(folder: Path) -> Callable[[], int]:
    import tiktoken

    vocab = load_tokenizer(folder / "ours").get_vocab()
    ranks = {token_bytes(token): id for token, id in vocab.items() if token != END_OF_TEXT}
    encoding = tiktoken.Encoding("ours", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens={})
    return lambda: sum(
        len(ids)
        for lines in batches_of_lines(folder)
        for ids in encoding.encode_ordinary_batch(lines, num_threads=usable_cores())
    )


def batches_of_lines(folder: Path) -> Iterator[list[str]]:
    with open(folder / "text.txt", encoding="utf-8") as file:
        while lines := list(islice(file, LINES)):
            yield lines


WORKS: dict[str, dict[str, Callable[[Path], Callable[[], int]]]] = {
    "training": {
        "ours": train_ours,
        "tokenizers, train([file])": partial(train_tokenizers, "file"),
        "tokenizers, train_from_iterator over lines": partial(train_tokenizers, "lines"),
        "tokenizers, train_from_iterator of one string": partial(train_tokenizers, "string"),
        "sentencepiece": train_sentencepiece,
    },
    "encoding": {
        "ours": encode_ours,
        "tokenizers, encode_batch over lines": partial(encode_tokenizers, "encode_batch"),
        "tokenizers, encode_batch_fast over lines": partial(encode_tokenizers, "encode_batch_fast"),
        "transformers, the whole text": encode_transformers,
        "tiktoken over lines": encode_tiktoken,
    },
}
