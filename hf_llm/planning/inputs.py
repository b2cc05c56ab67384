"""What hf-llm plan plans with: the corpus where it is at hand, otherwise no more than the model's shape."""

import os

from transformers import GPT2Config

from hf_llm.config import user_path
from hf_llm.data.search import is_here
from hf_llm.data.sources import SOURCES
from hf_llm.models.gpt2 import gpt2_config
from hf_llm.models.sizes import size_named
from hf_llm.tokenization.corpus import Corpus, read_corpus
from hf_llm.tokenization.tokenizer import document_start, load_tokenizer
from hf_llm.training.config import PretrainConfig


def plan_inputs(config: PretrainConfig) -> tuple[GPT2Config, Corpus | None]:
    """Return the model's shape and its corpus, None for a corpus that is not on this machine.

    The vocabulary is then that of `tokenizer`, of the BPE that would be trained on a named text, or, for a folder that
    has yet to be prepared, the size's own: GPT-2's 50,257.

    Raises:
        UserError: For an impossible shape, or a corpus or tokenizer that is there and cannot be used.
    """
    named = config.corpus in SOURCES or config.corpus == "sample"
    if is_here(config.corpus) if named else os.path.exists(user_path(config.corpus)):
        corpus = read_corpus(config.corpus, **config.encoding)
        start = document_start(corpus.tokenizer)
        return gpt2_config(vocab_size=len(corpus.tokenizer), bos_token_id=start, **config.shape), corpus
    if config.tokenizer is not None:
        vocab_size = len(load_tokenizer(config.tokenizer))
    else:
        vocab_size = config.vocab_size if config.corpus in SOURCES else size_named(config.model).vocab_size
    return gpt2_config(vocab_size=vocab_size, **config.shape), None
