"""A tokenizer turns text into token numbers: byte-level BPE, trained, loaded, and applied to text that is not trusted.

Byte-level BPE (Radford et al. 2019, GPT-2, section 2.2) starts from the 256 bytes, so that any Unicode text has an
encoding, and joins the pair of neighbours that occurs most often, again and again, until the vocabulary is full.
A vocabulary of 257 is bytes alone. The one special token, `<|endoftext|>`, begins every document, and the tokenizer
puts it there itself, so that plain transformers reads a prompt as the model has learned to.

>>> tokenizer = train_bpe("low lower lowest", vocab_size=259)
>>> tokenizer.convert_ids_to_tokens(encode(tokenizer, "lowest"))
['low', 'e', 's', 't']
"""

import copy
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, GPT2Tokenizer, PreTrainedTokenizerFast

from hf_llm.config import UserError, check_unicode, library_folder, quoted, require
from hf_llm.data import find
from hf_llm.data.content import first_bytes, refuse_mark
from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import both
from hf_llm.tokenization.interruptible import interruptible
from hf_llm.tokenization.pieces import LONGEST_WORD, batches, cut_long_words, pieces, splits_like_gpt2

logger = logging.getLogger(__name__)

END_OF_TEXT = "<|endoftext|>"
BYTES_VOCAB_SIZE = 257  # 256 bytes and END_OF_TEXT: no merges


def train_bpe(text: str | Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE whose id 0 is `<|endoftext|>`: bos, eos and pad in one, which begins every document.

    Training is deterministic. When the text holds no further pair to join, the vocabulary stays smaller than asked
    and a warning says so; `len(tokenizer)` is the true size. Memory grows with the different words of the text, which
    the library counts, not with its length.

    Args:
        text: The training text, or its documents, or `pieces` of it, one by one: no word reaches from one to the next.
        vocab_size: Number of tokens: 1 special, 256 bytes, the rest merges.

    Raises:
        UserError: When `vocab_size` cannot hold the bytes or is beyond reason, or the text holds a lone surrogate.
    """
    require(
        vocab_size >= BYTES_VOCAB_SIZE,
        f"vocab_size {vocab_size} is too small: the 256 bytes and {END_OF_TEXT} take {BYTES_VOCAB_SIZE}, "
        f"without which some texts could not be encoded; ask for {BYTES_VOCAB_SIZE} (bytes alone) or more",
    )
    # the library reserves room for it at once, and ends the process when there is none
    require(vocab_size <= 10**7, f"vocab_size {vocab_size} is more than 10,000,000; GPT-2 has 50257")
    tokenizer, trainer = untrained_bpe(vocab_size)
    texts = [text] if isinstance(text, str) else text
    cut = Counter()

    def parts() -> Iterator[str]:  # it must not touch the tokenizer, locked while it trains: both would wait forever
        for piece in (piece for one in texts for piece in pieces([check_unicode(one)])):
            of_piece = cut_long_words(piece)
            cut["inside"] += len(of_piece) - 1
            yield from of_piece

    interruptible(lambda: tokenizer.train_from_iterator(parts(), trainer))
    if cut["inside"]:
        said = "the training text holds words of more than %d characters (DNA, base64, spaces): %d cuts in them"
        logger.warning(said, LONGEST_WORD, cut["inside"])
    learned = tokenizer.get_vocab_size()
    if learned < vocab_size:
        said = "the training text holds only %d merges: the vocabulary has %d tokens, not %d"
        logger.warning(said, learned - BYTES_VOCAB_SIZE, learned, vocab_size)
    model = json.loads(tokenizer.to_str())["model"]
    return begin_documents(_gpt2_class(model["vocab"], [tuple(pair) for pair in model["merges"]]))


def untrained_bpe(vocab_size: int) -> tuple[Tokenizer, trainers.BpeTrainer]:
    """Return the library's byte-level BPE without merges, and what will train it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END_OF_TEXT], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    return tokenizer, trainer


def load_tokenizer(name: str | Path) -> PreTrainedTokenizerFast:
    """Load a tokenizer from a folder, the Hub, or the named source `gpt2-tokenizer`. No remote code is run.

    That of a run folder begins documents, as its model was trained, also where an earlier version saved it without.

    Raises:
        UserError: When there is none, or it is not one of the `tokenizers` library.
    """
    if str(name) == "gpt2-tokenizer":
        vocab_file, merges_file = find("gpt2-tokenizer")
        vocab = json.loads(vocab_file.read_text(encoding="utf-8"))
        lines = merges_file.read_text(encoding="utf-8").splitlines()[1:]  # the first line is a version
        return _gpt2_class(vocab, [tuple(line.split(" ")) for line in lines])
    path = library_folder(name)
    require(not path.is_file(), both("tokenization.is_a_file", name=name))
    # asked first, since AutoTokenizer builds an empty tokenizer from a lone config.json
    files = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")
    has_one = not path.is_dir() or any((path / file).is_file() for file in files)
    require(has_one, both("tokenization.none_in_folder", name=name))
    local = path.is_dir() or path.is_absolute() or (len(path.parts) > 1 and path.parent.is_dir())
    require(path.is_dir() or not local, both("tokenization.no_folder", name=name))
    for file in ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt") if local else ():
        if (path / file).is_file():
            refuse_mark(first_bytes(path / file), path / file)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(name), trust_remote_code=False)
    except Exception as error:  # a damaged file is an untyped exception of the tokenizers library
        reason = quoted(error, most=200)
        if local:
            raise UserError(both("tokenization.unreadable", name=name, reason=reason)) from None
        raise UserError(both("tokenization.unknown", name=name, reason=reason)) from None
    require(hasattr(tokenizer, "backend_tokenizer"), both("tokenization.slow", name=name))
    if dropout := getattr(tokenizer.backend_tokenizer.model, "dropout", None):
        tokenizer.backend_tokenizer.model.dropout = None  # or a text would be read otherwise each time
        said = "the tokenizer %s forgets merges at random (dropout %g); that is switched off, as bpe_dropout is for it"
        logger.warning(said, name, dropout)
    manifest = (read_manifest(path) if local else None) or {}
    recorded = manifest.get("files", {}).get("tokenizer.json")
    own = recorded is None or recorded == file_sha256(path / "tokenizer.json")
    require(own, both("tokenization.foreign", name=name))
    is_language_model = manifest and manifest["config"].get("task") != "text-classification"
    return begin_documents(tokenizer) if is_language_model else tokenizer


def encode_prompt(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Return the ids that a model continues: those of transformers' own `pipeline` and `tokenizer(text)`.

    What stands before the text is the tokenizer's habit: ours and Llama's begin a document, OpenAI's GPT-2 adds
    nothing. What it puts behind, such as BERT's [SEP], is left out: the text is to go on. An empty text always begins
    a document. The characters `<|endoftext|>` in it are ordinary text.

    Raises:
        UserError: When the text holds a lone surrogate, which UTF-8 cannot express.
    """
    read = tokenizer(
        check_unicode(text), split_special_tokens=True, return_special_tokens_mask=True, return_attention_mask=False,
        verbose=False,
    )  # fmt: skip
    ids, put_there = read["input_ids"], read["special_tokens_mask"]
    if all(put_there):
        return [document_start(tokenizer)]
    return ids[: len(ids) - put_there[::-1].index(0)]


def encode(tokenizer: PreTrainedTokenizerFast, text: str) -> np.ndarray:
    """Encode text that is only text: the characters `<|endoftext|>` in it become ordinary tokens.

    Returns:
        Token ids, shape (tokens,), in the type of `token_dtype`.

    Raises:
        UserError: When the text holds a lone surrogate, which UTF-8 cannot express.
    """
    return encode_batch(tokenizer, [text])[0]


def encode_document(tokenizer: PreTrainedTokenizerFast, text: str) -> np.ndarray:
    """Encode a document of a corpus: its start token, then its text; shape (1 + tokens,)."""
    return np.concatenate([np.array([document_start(tokenizer)], token_dtype(tokenizer)), encode(tokenizer, text)])


def encode_batch(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[np.ndarray]:
    """Encode each text as `encode` does."""
    arrays = [[] for _ in texts]
    for place, _, ids in encode_pieces(tokenizer, ([text] for text in texts)):
        arrays[place].append(ids)
    return [np.concatenate(of_text) for of_text in arrays]


def encode_pieces(
    tokenizer: PreTrainedTokenizerFast, texts: Iterable[Iterable[str]]
) -> Iterator[tuple[int, str, np.ndarray]]:
    """Encode texts however long, as `encode` does, on all cores when `TOKENIZERS_PARALLELISM` allows.

    Memory holds some hundred bytes for each token of a batch of pieces, whatever the length of the texts; a tokenizer
    that does not split like GPT-2's takes a whole text as one piece.

    Args:
        tokenizer: What encodes them.
        texts: Each in blocks of any length.

    Yields:
        Pieces of them in order: the place of the text, the piece, its ids. Each text has one at least.
    """
    backend, dtype = tokenizer.backend_tokenizer, token_dtype(tokenizer)
    split = pieces if splits_like_gpt2(backend) else lambda blocks: ["".join(blocks)]
    cut = ((place, check_unicode(piece)) for place, blocks in enumerate(texts) for piece in split(blocks))
    for batch in batches(cut, length=lambda one: len(one[1])):
        backend.no_padding()  # left behind by another call
        backend.no_truncation()
        backend.encode_special_tokens = True  # the characters of a special token are text
        # unlike `tokenizer(...)` it keeps no record of where each token stood: half the time
        encode_fast = partial(backend.encode_batch_fast, [piece for _, piece in batch], add_special_tokens=False)
        for (place, piece), encoding in zip(batch, interruptible(encode_fast)):
            yield place, piece, np.array(encoding.ids, dtype)


def document_start(tokenizer: PreTrainedTokenizerFast) -> int:
    """Return the id that begins a document: bos, else eos, else BERT's [CLS]."""
    marks = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.cls_token_id)
    ids = [id for id in marks if id is not None]
    require(bool(ids), both("tokenization.no_start"))
    return ids[0]


def begin_documents(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """Let `tokenizer(text)` itself put the document's start before a text; return the same tokenizer.

    A model that learned from documents which begin so reads a prompt rightly only behind it. The habit lies in the
    post-processor, which tokenizer.json keeps and every library of Hugging Face applies.
    """
    backend, start = tokenizer.backend_tokenizer, document_start(tokenizer)
    if tokenizer("")["input_ids"][:1] != [start]:
        token = tokenizer.convert_ids_to_tokens(start)
        tokenizer.bos_token = tokenizer.bos_token or token
        template = processors.TemplateProcessing(
            single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1", special_tokens=[(token, start)]
        )
        habit = backend.post_processor  # that of others stays, before ours: GPT-2's corrects offsets
        backend.post_processor = template if _adds_nothing(habit) else processors.Sequence([habit, template])
    return tokenizer


def without_document_start(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """Return a copy that puts no `<|endoftext|>` before a text, as a classifier of texts is trained."""
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content["post_processor"] = _without_start(content["post_processor"])
    bare = copy.deepcopy(tokenizer)
    bare.backend_tokenizer.post_processor = Tokenizer.from_str(json.dumps(content)).post_processor
    return bare


def _adds_nothing(habit: processors.PostProcessor | None) -> bool:
    return habit is None or json.loads(habit.__getstate__()).get("special_tokens") == {}


def token_dtype(tokenizer: PreTrainedTokenizerFast) -> np.dtype:
    """Return the smaller of uint16 and uint32 that holds every id."""
    return np.dtype(np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32)


def tokenizer_sha256(tokenizer: PreTrainedTokenizerFast) -> str:
    """Return the SHA-256 of tokenizer.json in canonical form, whatever its layout on disk and its last call.

    Whether it begins documents does not count: the tokens of a text are the same, so that runs and prepared corpora of
    earlier versions, whose tokenizers did not, keep their hash.
    """
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content.update(padding=None, truncation=None)  # left behind by the last call, no part of the mapping
    content["post_processor"] = _without_start(content["post_processor"])
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _without_start(habit: dict | None) -> dict | None:
    """Return a post-processor of tokenizer.json as it was before `begin_documents`."""
    match habit:
        case {"type": "Sequence", "processors": [before, {"special_tokens": {**tokens}}]} if set(tokens) == {
            END_OF_TEXT
        }:
            return before
        case {"type": "TemplateProcessing", "special_tokens": {**tokens}} if set(tokens) == {END_OF_TEXT}:
            kept = {name: [part for part in habit[name] if "Sequence" in part] for name in ("single", "pair")}
            return {**habit, **kept, "special_tokens": {}}
    return habit


def _gpt2_class(vocab: dict[str, int], merges: list[tuple[str, str]]) -> GPT2Tokenizer:
    """Wrap vocabulary and merges in the class that every version of transformers knows by name."""
    return GPT2Tokenizer(
        vocab=vocab, merges=merges, unk_token=None, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT, clean_up_tokenization_spaces=False,  # transformers 4 would decode " ," as ","
    )  # fmt: skip
