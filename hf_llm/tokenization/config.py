"""Settings of the tokenizer scripts, each checked. No heavy import, so that `--help` answers at once."""

from dataclasses import dataclass

from hf_llm.config import check_publishing, check_unicode, require, setting, written


@dataclass(kw_only=True)
class TrainTokenizerConfig:
    """What hf-llm train_tokenizer needs."""

    corpus: str = setting(
        ..., "named source (the-verdict, tiny-shakespeare, dom-casmurro, sample) or a UTF-8 text file"
    )
    output_dir: str = setting(..., "folder for the tokenizer; AutoTokenizer loads it")
    vocab_size: int = setting(
        1000, "number of tokens, at least 257 = bytes alone; 1000 suits a short story, GPT-2 has 50257"
    )
    validation_fraction: float = setting(0.1, "share of the characters, from the end, that training never sees")
    replay: int = setting(0, "print so many merges of the training, one by one")
    overwrite: bool = setting(False, "replace the tokenizer that is in output_dir")
    push_to_hub: bool = setting(False, "push the tokenizer to hub_model_id; a Hub that is down loses nothing")
    hub_model_id: str | None = setting(None, "owner/name on the Hub, of push_to_hub")
    hub_private_repo: bool = setting(False, "only you see a repository that push_to_hub makes")

    def __post_init__(self):
        check_publishing(self.push_to_hub, self.hub_model_id)
        require(
            0 <= self.validation_fraction < 1,
            f"validation_fraction must be at least 0 and less than 1, not {self.validation_fraction}",
        )
        require(self.replay >= 0, f"replay must be a number of merges, 0 or more, not {self.replay}")


@dataclass(kw_only=True)
class CompareTokenizersConfig:
    """What hf-llm compare_tokenizers needs."""

    text: str | None = setting(None, "the text to encode")
    corpus: str | None = setting(None, "or a named source or text file, encoded whole")
    tokenizers: list[str] = setting(
        [], "tokenizer folders, run folders or Hub ids; GPT-2's own is added where it is found"
    )
    json: bool = setting(False, "print JSON instead of a table")

    def __post_init__(self):
        require((self.text is None) != (self.corpus is None), f"give either {written('text')} or {written('corpus')}")
        check_unicode(self.text or "")  # before a tokenizer is downloaded


@dataclass(kw_only=True)
class PrepareCorpusConfig:
    """What hf-llm prepare_corpus needs: documents from files or from a data set, a tokenizer, and the shape."""

    output_dir: str = setting(..., "folder for the token arrays, corpus.json and the tokenizer")
    files: list[str] = setting(
        [],
        "text (.txt, .md), JSON lines (.jsonl) or parquet files, also compressed; folders with all below; patterns",
    )
    document_separator: str | None = setting(
        None, "text that ends a document inside a text file, for example '<|endoftext|>'; else one a file"
    )
    dataset: str | None = setting(
        None, "or a data set's Hub id or folder, streamed once and never stored; a text file is one document"
    )
    dataset_config: str | None = setting(None, "the data set's configuration (subset)")
    dataset_split: str = setting("train", "the data set's split")
    dataset_revision: str = setting("main", "the data set's commit or branch; a commit makes the corpus repeatable")
    text_field: str = setting("text", "name of the text in JSON lines, parquet and data sets")
    max_bytes: int = setting(0, "stop after so many bytes of text; 0 = take all")
    tokenizer: str | None = setting(
        None, "tokenizer folder, Hub id or gpt2-tokenizer; without it one is trained on a sample"
    )
    vocab_size: int = setting(50257, "size of the tokenizer to train; 50257 gives GPT-2 its published shape")
    tokenizer_sample_bytes: int = setting(
        100_000_000, "train the tokenizer on the first training documents with so many bytes"
    )
    validation_per_mille: int = setting(
        5, "so many documents of 1,000 are for validation, chosen by a hash of their text"
    )
    shard_tokens: int = setting(100_000_000, "tokens a file; two bytes each for up to 65,536 vocabulary entries")
    overwrite: bool = setting(False, "replace the corpus that is in output_dir")

    def __post_init__(self):
        require(bool(self.files) != bool(self.dataset), f"give either {written('files')} or {written('dataset')}")
        require(self.document_separator != "", "document_separator must not be empty")
        require(
            1 <= self.validation_per_mille <= 999,
            f"validation_per_mille must be between 1 and 999, not {self.validation_per_mille}",
        )
        for name in ("shard_tokens", "tokenizer_sample_bytes"):
            require(getattr(self, name) >= 1, f"{name} must be at least 1, not {getattr(self, name)}")
        require(self.max_bytes >= 0, f"max_bytes must be 0 (all) or a number of bytes, not {self.max_bytes}")
