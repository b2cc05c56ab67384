"""From a corpus to a tokenizer folder: what hf-llm train_tokenizer does.

The text is read from its file once for each thing that is done with it, piece by piece, and is never in memory as a
whole. What grows with it is the library's list of different words.
"""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from transformers import PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.data.reading import Reading
from hf_llm.data.text import split_place, stream_text
from hf_llm.tokenization.bpe import Merge, replay
from hf_llm.tokenization.config import TrainTokenizerConfig
from hf_llm.tokenization.folder import TOKENIZER_FILES, new_folder
from hf_llm.tokenization.pieces import pieces
from hf_llm.tokenization.tokenizer import encode_pieces, tokenizer_sha256, train_bpe


class TrainedTokenizer(NamedTuple):
    """What training gave."""

    tokenizer: PreTrainedTokenizerFast  # that was saved
    sha256: str  # its `tokenizer_sha256`
    reading: Reading  # the account of the corpus that was read
    train_bytes: int  # UTF-8 bytes that it was trained on
    train_bytes_per_token: float  # mean on that text
    validation_bytes_per_token: float | None  # on the text that it never saw; None where there is none
    merges: list[Merge]  # the first ones of its training, as many as were asked for


def train_tokenizer(config: TrainTokenizerConfig) -> TrainedTokenizer:
    """Train on the first part of the corpus alone and save the tokenizer, whole or not at all.

    Raises:
        UserError: For a corpus, vocabulary size or output folder that will not do.
    """
    with new_folder(config.output_dir, "tokenizer", TOKENIZER_FILES, config.overwrite) as folder:
        text = stream_text(config.corpus)
        cut = split_place(text.characters, config.validation_fraction)
        require(
            cut > 0,
            f"{config.corpus} is too short: with validation_fraction {config.validation_fraction} it leaves nothing "
            "to train on; take a longer text",
        )
        tokenizer = train_bpe(pieces(text.blocks(end=cut)), config.vocab_size)
        tokenizer.save_pretrained(folder)
        train_bytes, train_tokens = count(tokenizer, text.blocks(end=cut))
        unseen_bytes, unseen_tokens = count(tokenizer, text.blocks(cut))
        trained = TrainedTokenizer(
            tokenizer=tokenizer,
            sha256=tokenizer_sha256(tokenizer),
            reading=text.reading,
            train_bytes=train_bytes,
            train_bytes_per_token=train_bytes / train_tokens,
            validation_bytes_per_token=unseen_bytes / unseen_tokens if unseen_tokens else None,
            merges=list(islice(replay(pieces(text.blocks(end=cut)), config.vocab_size), config.replay)),
        )
    return trained


def count(tokenizer: PreTrainedTokenizerFast, blocks: Iterable[str]) -> tuple[int, int]:
    """Return how many UTF-8 bytes and how many tokens a text has: more bytes a token are a better compression."""
    size = tokens = 0
    for _, piece, ids in encode_pieces(tokenizer, [blocks]):
        size += len(piece.encode("utf-8"))
        tokens += len(ids)
    return size, tokens
