"""How large a GPT-2 is: depth, heads, width, context and vocabulary, by name.

The four published sizes are those of Radford et al. 2019, "Language Models are Unsupervised Multitask Learners",
table 2. The three small ones have the same shape and fit a laptop: a short story, or a few megabytes of text.

>>> size_named("large").n_embd
1280
"""

from dataclasses import dataclass

from hf_llm.config import UserError, nearest, quoted


@dataclass(frozen=True)
class GPT2Size:
    """One size of GPT-2, in the names of `transformers.GPT2Config`.

    Args:
        n_layer: Number of transformer blocks.
        n_head: Attention heads in a block; each is `n_embd / n_head` wide.
        n_embd: Width of the residual stream.
        n_positions: Context length in tokens.
        vocab_size: Number of tokens; a tokenizer of another size replaces it.
        bos_token_id: Id of `<|endoftext|>` in that vocabulary: OpenAI's comes last, that of this project first.
    """

    n_layer: int
    n_head: int
    n_embd: int
    n_positions: int = 1024
    vocab_size: int = 50257
    bos_token_id: int = 50256


SIZES = {
    "nano": GPT2Size(2, 2, 64, n_positions=128, vocab_size=1000, bos_token_id=0),  # 0.17 M parameters, for tests
    "micro": GPT2Size(4, 4, 128, n_positions=128, vocab_size=1000, bos_token_id=0),  # 0.94 M, for a short story
    "mini": GPT2Size(6, 8, 256, n_positions=256, vocab_size=4000, bos_token_id=0),  # 5.8 M, for some megabytes
    "small": GPT2Size(12, 12, 768),  # 124 M
    "medium": GPT2Size(24, 16, 1024),  # 355 M
    "large": GPT2Size(36, 20, 1280),  # 774 M
    "xl": GPT2Size(48, 25, 1600),  # 1,558 M
}


def size_named(name: str) -> GPT2Size:
    """Return the size called `name`.

    Raises:
        UserError: For an unknown name; the message holds the nearest one and all of them.
    """
    if name not in SIZES:
        raise UserError(
            f"no GPT-2 size is called {quoted(repr(name))}{nearest(name, list(SIZES))}; name one of {', '.join(SIZES)}"
        )
    return SIZES[name]
