"""What every use of a finished model needs: evaluation mode, its longest context, and a tokenizer that fits."""

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


def context_length(model: PreTrainedModel) -> int | None:
    """Return how many tokens the model reads at once, or None where nothing bounds it (ALiBi, state spaces)."""
    # GPT2Config calls it n_positions and maps this name to it
    return getattr(model.config.get_text_config(), "max_position_embeddings", None)


def require_own_tokenizer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Raise `UserError` when the tokenizer has ids that the model has no embedding for.

    A model may have spare rows (padded to a round number), so that a tokenizer with fewer tokens is accepted.
    """
    rows = model.get_input_embeddings().num_embeddings
    require(len(tokenizer) <= rows, both("generation.foreign_tokenizer", tokens=len(tokenizer), rows=rows))
