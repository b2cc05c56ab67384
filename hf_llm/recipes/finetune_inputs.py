"""What fine-tuning is made from: a causal language model, its tokenizer, and a corpus or labelled texts."""

from dataclasses import dataclass, field

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hf_llm.config import require
from hf_llm.data import LabelledTexts, draw_messages, read_messages, split_messages
from hf_llm.data.reading import Reading
from hf_llm.generation.inference import require_own_tokenizer
from hf_llm.models.context import context_length
from hf_llm.models.loading import load_causal_lm, model_folder, model_sha256
from hf_llm.recipes.finetune_config import MOST_CONTEXT, FinetuneConfig
from hf_llm.tokenization.corpus import Corpus, read_corpus
from hf_llm.tokenization.tokenizer import load_tokenizer, tokenizer_sha256, without_document_start


@dataclass(frozen=True)
class Messages:
    """Labelled texts without duplicates, in three parts."""

    name: str
    sha256: str
    duplicates: int  # left out before the split
    parts: dict[str, LabelledTexts]  # train, validation, test
    reading: Reading = field(default_factory=Reading)  # the account of what was read

    def facts(self) -> dict:
        """Return what a manifest says of them."""
        counts = {f"{part}_messages": len(messages) for part, messages in self.parts.items()}
        duplicates, classes = {"duplicates": self.duplicates}, {"classes": list(self.parts["train"].classes)}
        return {"name": self.name, "sha256": self.sha256, **duplicates, **classes, **counts}


@dataclass(frozen=True)
class Inputs:
    """Everything that the run depends on beside its settings."""

    model: PreTrainedModel  # the base, as it was published
    sha256: str  # of its files
    tokenizer: PreTrainedTokenizerFast  # its own
    context: int  # tokens of a window, or of a text at most
    data: Corpus | Messages

    @property
    def published_tokenizer(self) -> PreTrainedTokenizerFast:
        """The tokenizer as the trained model reads: a corpus's begins documents, a classifier's does not."""
        return self.data.tokenizer if isinstance(self.data, Corpus) else without_document_start(self.tokenizer)

    def facts(self, config: FinetuneConfig) -> dict[str, dict]:
        """Return what a manifest says of them."""
        base = {"name": config.model, "sha256": self.sha256, "kind": self.model.config.model_type}
        tokenizer = {"sha256": tokenizer_sha256(self.tokenizer), "vocab_size": len(self.tokenizer)}
        data = self.data.facts()
        return {"base": base, "tokenizer": tokenizer, "data": data["data"] if isinstance(self.data, Corpus) else data}


def read_inputs(config: FinetuneConfig) -> Inputs:
    """Load the model that `config` names, and read the data for it.

    Raises:
        UserError: When one of them cannot be had, or the model cannot read so long a context.
    """
    folder = model_folder(config.model)
    model, tokenizer = load_causal_lm(folder), load_tokenizer(config.model)
    require_own_tokenizer(model, tokenizer)
    longest = context_length(model)
    context = config.n_positions or min(longest or MOST_CONTEXT, MOST_CONTEXT)
    require(
        longest is None or context <= longest,
        f"n_positions {context} is more than the {longest} tokens that {config.model} reads; lower it",
    )
    if config.classifies:
        rows = model.get_input_embeddings().num_embeddings
        if tokenizer.pad_token is None or tokenizer.pad_token_id >= rows:  # one was added and never learned
            tokenizer.pad_token = tokenizer.eos_token
        require(tokenizer.pad_token is not None, f"the tokenizer of {config.model} has neither a pad nor an end token")
        tokenizer.padding_side, tokenizer.model_max_length = "right", context  # so it is published, too
        data = read_parts(config)
    else:
        fraction = config.validation_fraction
        data = read_corpus(
            config.data, config.model, vocab_size=len(tokenizer), context=context, validation_fraction=fraction
        )
    return Inputs(model, model_sha256(folder), tokenizer, context, data)


def read_parts(config: FinetuneConfig) -> Messages:
    """Read the labelled texts that `config.data` names and split them; errors as in `read_messages`."""
    source = read_messages(config.data)
    parts = split_messages(source.messages, config.seed, config.validation_fraction, config.test_fraction)
    if config.train_messages is not None:
        parts["train"] = draw_messages(parts["train"], config.train_messages, config.seed)
    return Messages(source.name, source.sha256, source.duplicates, parts, source.reading)
