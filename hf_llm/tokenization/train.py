"""From a corpus to a tokenizer folder: what hf-llm train_tokenizer does."""

from itertools import islice
from typing import NamedTuple

from transformers import PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.data import read_text, split_text
from hf_llm.data.reading import Reading
from hf_llm.tokenization.bpe import Merge, replay
from hf_llm.tokenization.config import TrainTokenizerConfig
from hf_llm.tokenization.folder import TOKENIZER_FILES, new_folder
from hf_llm.tokenization.tokenizer import encode, tokenizer_sha256, train_bpe


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
        corpus = read_text(config.corpus)
        text, unseen = split_text(corpus.text, config.validation_fraction)
        require(
            text != "",
            f"{config.corpus} is too short: with validation_fraction {config.validation_fraction} it leaves nothing "
            "to train on; take a longer text",
        )
        tokenizer = train_bpe(text, config.vocab_size)
        tokenizer.save_pretrained(folder)
        trained = TrainedTokenizer(
            tokenizer=tokenizer,
            sha256=tokenizer_sha256(tokenizer),
            reading=corpus.reading,
            train_bytes=len(text.encode("utf-8")),
            train_bytes_per_token=bytes_per_token(tokenizer, text),
            validation_bytes_per_token=bytes_per_token(tokenizer, unseen) if unseen else None,
            merges=list(islice(replay(text, config.vocab_size), config.replay)),
        )
    return trained


def bytes_per_token(tokenizer: PreTrainedTokenizerFast, text: str) -> float:
    """Return how many UTF-8 bytes of `text` a token holds on average: more is a better compression."""
    return len(text.encode("utf-8")) / len(encode(tokenizer, text))
