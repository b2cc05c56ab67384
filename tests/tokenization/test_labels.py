"""Labels of ids: white space visible, special tokens by name, spare rows by number."""

from hf_llm.tokenization.readable import token_labels
from hf_llm.tokenization.tokenizer import encode_document, train_bpe


def test_labels_are_readable():
    tokenizer = train_bpe("low lower lowest\n", vocab_size=260)
    ids = encode_document(tokenizer, "lowest ã\n").tolist()
    assert token_labels(tokenizer, ids) == ["<|endoftext|>", "low", "e", "s", "t", "␣", "\\xc3", "\\xa3", "⏎"]
    assert token_labels(tokenizer, [len(tokenizer) + 5]) == [f"#{len(tokenizer) + 5}"]
