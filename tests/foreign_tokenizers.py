"""Small tokenizers of other kinds, trained on a text: what a student may find on the Hub beside GPT-2's."""

import json

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<s>", "</s>", "<unk>"]
# of each kind: whether it gives back any text
KINDS = {
    "gpt2": True, "prefix space": False, "no alphabet": False, "lower case": False, "accents": False, "nfc": False,
    "nfkc": False, "wordpiece": False, "sentencepiece": True, "unigram": False, "words": False,
}  # fmt: skip


def foreign_tokenizer(kind: str, text: str, vocab_size: int = 400) -> PreTrainedTokenizerFast:
    """Return a tokenizer of `kind`, trained on `text`."""
    model, trainer = models.BPE(), trainers.BpeTrainer
    alphabet = {"initial_alphabet": pre_tokenizers.ByteLevel.alphabet()}
    if kind == "wordpiece":
        model, trainer, alphabet = models.WordPiece(unk_token="<unk>"), trainers.WordPieceTrainer, {}
    elif kind == "unigram":
        model, trainer, alphabet = models.Unigram(), trainers.UnigramTrainer, {"unk_token": "<unk>"}
    elif kind == "words":
        model, trainer, alphabet = models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer, {}
    elif kind == "sentencepiece":  # as Llama's: what has no token is spelt in bytes
        model = models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True)
        trainer, alphabet = trainers.BpeTrainer, {}
    elif kind == "no alphabet":
        alphabet = {}
    made = Tokenizer(model)
    made.normalizer = {
        "lower case": normalizers.Lowercase(), "nfc": normalizers.NFC(), "nfkc": normalizers.NFKC(),
        "accents": normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
        "wordpiece": normalizers.BertNormalizer(),
    }.get(kind)  # fmt: skip
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=kind == "prefix space"), None
    special = SPECIAL
    if kind == "wordpiece":
        made.pre_tokenizer, made.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    elif kind in ("sentencepiece", "unigram"):
        made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        if kind == "sentencepiece":
            special = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))]
            made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(), decoders.Fuse()])
    elif kind == "words":
        made.pre_tokenizer = pre_tokenizers.Whitespace()
    else:
        made.decoder = decoders.ByteLevel()
    size = vocab_size + (256 if kind == "sentencepiece" else 0)
    made.train_from_iterator([text], trainer(vocab_size=size, special_tokens=special, show_progress=False, **alphabet))
    if kind == "sentencepiece":  # trained as special tokens to be in the vocabulary; they are no special ones
        made = _without_special_bytes(made)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    if kind == "wordpiece":  # as BERT's: neither bos nor eos, but a token before a text and one behind
        marks = [("<s>", 0), ("</s>", 1)]
        made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=marks)
        wrapped = PreTrainedTokenizerFast(
            tokenizer_object=made, cls_token="<s>", sep_token="</s>", unk_token="<unk>", pad_token="<unk>"
        )
    return wrapped


def _without_special_bytes(tokenizer: Tokenizer) -> Tokenizer:
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if not token["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(content))
