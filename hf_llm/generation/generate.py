"""Continue a text: the one way from a prompt to a text, streamed or at once.

>>> for piece in TextStream(model, tokenizer, "I had always", GenerationSettings(max_new_tokens=20)):
...     print(piece, end="", flush=True)
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.decoding import beam_search, decode, end_of_text_ids, require_room_for_beams
from hf_llm.generation.detokenizer import Detokenizer, cut_at_stop
from hf_llm.generation.inference import evaluating, require_own_tokenizer
from hf_llm.models.context import context_length
from hf_llm.tokenization.lossless import changes
from hf_llm.tokenization.tokenizer import encode, encode_prompt


class GenerationResult(NamedTuple):
    """A continuation."""

    text: str  # the new text, without the prompt, cut before a stop text
    token_ids: list[int]  # the new tokens, those of a stop text included, an end-of-text token not
    prompt_ids: list[int]  # the prompt's tokens, as `encode_prompt` says
    finish_reason: Literal["length", "stop", "end_of_text"]  # max_new_tokens, a stop text, or the model's own end
    slid: bool  # whether the text outgrew the context, so that the model no longer saw its beginning
    prompt_changes: str = ""  # what the tokenizer changes in the prompt, a sentence in both languages; "" for nothing


class TextStream:
    """Iterate over it for pieces of text as they come; afterwards `result` holds the whole.

    There is a piece for each token, an empty one where a character or a stop text is not complete yet: whoever stops
    iterating stops the model. Beam search knows its text only at the end, so its pieces come all at once.

    The tokenizer is the model's own. `<|endoftext|>` in the prompt is ordinary text; an empty one begins a document.

    Raises:
        UserError: At once, when the tokenizer is another model's, the prompt is no valid Unicode, or beam search
            would exceed the context. While iterating, when the model's output is not a number.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str, settings: GenerationSettings
    ):
        require_own_tokenizer(model, tokenizer)
        self.model, self.tokenizer, self.settings = model, tokenizer, settings
        self.prompt_ids = encode_prompt(tokenizer, prompt)
        if settings.num_beams > 1:
            require_room_for_beams(model, self.prompt_ids, settings)
        changed = changes(tokenizer, prompt, encode(tokenizer, prompt))
        self.prompt_changes = changed.sentence() if changed else ""
        self.result: GenerationResult | None = None

    def __iter__(self) -> Iterator[str]:
        tokens = beam_search if self.settings.num_beams > 1 else decode
        stops, ends = self.settings.stop, end_of_text_ids(self.model)
        detokenizer = Detokenizer(self.tokenizer, self.prompt_ids)
        shown, held, token_ids, finish_reason = [], "", [], "length"
        with evaluating(self.model):
            for token in tokens(self.model, self.prompt_ids, self.settings):
                if token in ends:
                    finish_reason = "end_of_text"
                    break
                token_ids.append(token)
                piece, held, stopped = cut_at_stop(held + detokenizer.push(token), stops)
                shown.append(piece)
                yield piece
                if stopped:
                    finish_reason = "stop"
                    break
        if finish_reason != "stop":
            piece, held, stopped = cut_at_stop(held + detokenizer.flush(), stops)
            finish_reason = "stop" if stopped else finish_reason
            if piece + held:  # nothing follows, so a stop text that only began is text
                shown.append(piece + held)
                yield piece + held
        context = context_length(self.model)
        read = len(self.prompt_ids) + len(token_ids) - (finish_reason != "end_of_text")  # the last token is not read
        slid = context is not None and read > context
        self.result = GenerationResult(
            "".join(shown), token_ids, self.prompt_ids, finish_reason, slid, self.prompt_changes
        )


def generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str, settings: GenerationSettings
) -> GenerationResult:
    """Continue `prompt` and return the whole result; arguments and errors as in `TextStream`."""
    stream = TextStream(model, tokenizer, prompt, settings)
    for _ in stream:
        pass
    return stream.result
