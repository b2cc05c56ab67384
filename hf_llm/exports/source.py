"""What is exported: a GPT-2 with its tokenizer, prompts to try both with, and a text to measure them on."""

import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from hf_llm.config import UserError, require
from hf_llm.data import read_text, split_text
from hf_llm.exports.record import SOURCES
from hf_llm.generation.decoding import end_of_text_ids
from hf_llm.generation.inference import require_own_tokenizer
from hf_llm.models.context import context_length
from hf_llm.models.loading import load_causal_lm, model_folder
from hf_llm.runs.atomic import file_sha256
from hf_llm.runs.manifest import read_manifest
from hf_llm.tokenization.tokenizer import load_tokenizer

# what a converter of tokenizers gets wrong first: spaces, line ends, digits, accents, bytes of long characters
HARD_PROMPTS = (
    "  two  spaces",
    "\n\nA",
    "1234567890",
    "coração, ÇÃO",
    "don't we'll",
    "日本",
    "🙂🙂",
    "x \n y",
    "\t=\t",
)


@dataclass(frozen=True)
class Source:
    """A model as transformers loads it, in fp32 on the CPU.

    Attributes:
        name: What the exported model is called.
        model: A GPT-2 with its language-modelling head.
        tokenizer: Its own.
        files: {name: SHA-256} of the files that an export is made from.
        text_name, text: Held-out text of the run, or the project's sample where that is not at hand.
    """

    name: str
    model: GPT2LMHeadModel
    tokenizer: PreTrainedTokenizerFast
    files: dict[str, str]
    text_name: str
    text: str

    @property
    def context(self) -> int:
        """Tokens that the model reads at once."""
        return context_length(self.model)

    @property
    def ends(self) -> list[int]:
        """Ids that end a text."""
        return end_of_text_ids(self.model)

    @cached_property
    def begins_documents(self) -> bool:
        """Whether the tokenizer itself puts its bos token before a text."""
        return self.tokenizer("x").input_ids[:1] == [self.tokenizer.bos_token_id]

    def ids(self, prompt: str) -> list[int]:
        """Return a prompt's token ids, as everybody gets them who calls the tokenizer."""
        return self.tokenizer(prompt).input_ids

    def prompts(self, count: int, new_tokens: int, seed: int = 0) -> list[str]:
        """Return prompts that leave room for `new_tokens` in the context: hard ones, then spans of the texts."""
        draw, texts = random.Random(seed), [self.text, read_text("sample").text]
        found = [prompt for prompt in HARD_PROMPTS if self._fits(prompt, new_tokens)][:count]
        while len(found) < count:
            text = draw.choice(texts)
            start = draw.randrange(len(text))
            prompt = text[start : start + draw.randint(1, 80)]
            while len(prompt) > 1 and not self._fits(prompt, new_tokens):
                prompt = prompt[: len(prompt) // 2]
            found.append(prompt)
        return found

    def _fits(self, prompt: str, new_tokens: int) -> bool:
        # llama.cpp ends one token before a full context
        return len(self.ids(prompt)) + new_tokens < self.context

    def greedy(self, prompt_ids: list[int], tokens: int) -> list[int]:
        """Return transformers' own greedy continuation, its end token included where the text ends."""
        ids = torch.tensor([prompt_ids])
        output = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1, repetition_penalty=1.0,
            max_length=len(prompt_ids) + tokens,  # max_new_tokens would warn where the model's own settings have this
            pad_token_id=next(iter(self.ends), 0),
        )  # fmt: skip
        return output[0, len(prompt_ids) :].tolist()

    @torch.inference_mode()
    def logits(self, ids: list[int]) -> torch.Tensor:
        """Return the next token's logits, shape (vocab,)."""
        return self.model(input_ids=torch.tensor([ids]), logits_to_keep=1).logits[0, -1]


def load_source(run: str) -> Source:
    """Load what is to be exported.

    Args:
        run: A folder or a Hub id.

    Raises:
        UserError: When it is no GPT-2 with a tokenizer of its own.
    """
    model, tokenizer = load_causal_lm(run), load_tokenizer(run)
    kind = type(model).__name__
    require(isinstance(model, GPT2LMHeadModel), f"{run} is a {kind}; only GPT-2 models are exported")
    require_own_tokenizer(model, tokenizer)
    folder = model_folder(run)
    files = {name: file_sha256(folder / name) for name in SOURCES if (folder / name).is_file()}
    return Source(folder.resolve().name, model, tokenizer, files, *held_out(folder))


def held_out(folder: Path) -> tuple[str, str]:
    """Return a name and the text that a run did not train on; the project's sample where that is not at hand."""
    data = (read_manifest(folder) or {}).get("data", {})
    try:
        corpus = read_text(data["name"])
        if corpus.sha256 == data["sha256"]:
            return f"held-out part of {corpus.name}", split_text(corpus.text)[1]
    except (UserError, KeyError):
        pass
    return "sample", read_text("sample").text
