"""From token ids back to text, piece by piece: a piece never splits a character and never shows part of a stop text.

A byte-level token may end inside a UTF-8 character. Decoding it alone gives U+FFFD, the replacement character, so
text that ends in one is held back until the next token (the method of Hugging Face's text-generation-inference).
"""

from transformers import PreTrainedTokenizerFast


class Detokenizer:
    """Decodes a growing list of tokens.

    Each step decodes the tokens since the last piece together with those of the piece before, and subtracts the
    latter: a tokenizer like Llama's writes a leading space only behind another token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, prompt_ids: list[int]):
        self.tokenizer = tokenizer
        self.ids = list(prompt_ids)
        self.before, self.shown = 0, len(prompt_ids)  # ids[before:shown] is the last piece that was returned

    def push(self, token: int) -> str:
        """Add a token; return the text that is complete now, often the token's own, sometimes none."""
        self.ids.append(token)
        return self.flush(only_complete=True)

    def flush(self, only_complete: bool = False) -> str:
        """Return what was held back: bytes that no later token completes, as U+FFFD."""
        known = self._decode(self.ids[self.before : self.shown])
        text = self._decode(self.ids[self.before :])[len(known) :]
        if only_complete and text.endswith("\ufffd"):
            return ""
        self.before, self.shown = self.shown, len(self.ids)
        return text

    def _decode(self, ids: list[int]) -> str:
        # the model's text as it is: transformers' clean-up would join " ," to ","
        return self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def cut_at_stop(text: str, stops: list[str]) -> tuple[str, str, bool]:
    """Split text into what may be shown, and what a stop text may still begin in.

    >>> cut_at_stop("the END of", ["END"])
    ('the ', '', True)
    >>> cut_at_stop("the E", ["END"])
    ('the ', 'E', False)

    Returns:
        The text to show, the text to hold back, and whether a stop text was found. Of several the one that is
        complete first counts, so that the cut does not depend on where tokens end.
    """
    found = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    if found:
        return text[: min(found)[1]], "", True
    for start in range(max(0, len(text) - max(map(len, stops), default=1) + 1), len(text)):
        if any(stop.startswith(text[start:]) for stop in stops):
            return text[:start], text[start:], False
    return text, "", False
