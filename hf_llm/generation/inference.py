"""What every use of a finished model needs: evaluation mode, and a tokenizer that fits."""

from collections.abc import Iterator
from contextlib import contextmanager

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.texts import both


@contextmanager
def evaluating(model: PreTrainedModel) -> Iterator[None]:
    """Switch dropout off inside the block, and back to what it was afterwards."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def require_own_tokenizer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Raise `UserError` when a text may become an id that the model has no embedding for.

    A model may have spare rows (padded to a round number), so that a tokenizer with fewer tokens is accepted; and so
    is one with a special token behind the last row, such as a [PAD] that was added and never learned: no text becomes
    one.
    """
    rows = model.get_input_embeddings().num_embeddings
    beyond = {id for id in tokenizer.get_vocab().values() if id >= rows}
    special = {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
    put_there = {tokenizer.bos_token_id, tokenizer.eos_token_id, *tokenizer("")["input_ids"]}
    fits = beyond <= special - put_there
    require(fits, both("generation.foreign_tokenizer", tokens=len(tokenizer), rows=rows))
