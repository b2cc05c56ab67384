"""The card of a tokenizer that is pushed alone: README.md with metadata that the Hub understands."""

from pathlib import Path

from huggingface_hub import ModelCard, ModelCardData
from tokenizers import Tokenizer
from tokenizers.models import BPE

from hf_llm.config import UserError, require

TEXT = """
# {name}

A tokenizer of {size:,} tokens, trained with hf_llm, a toolkit in which a student watches a language model being built.
It is a byte-level BPE (Radford et al. 2019): every text has an encoding, and decodes to itself.

```python
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{repo_id}")
print(tokenizer.tokenize("There is no unknown token."))
```

## Limits

It is short on texts like those that it was trained on, and longer on others: other languages, code, numbers.

## Em português

Um tokenizador BPE de bytes com {size:,} tokens, treinado com hf_llm. Codifica qualquer texto, e a decodificação devolve
o mesmo texto. É mais econômico em textos parecidos com os do treino do que em outros.
"""


def tokenizer_card(folder: Path, tokenizer_json: bytes, repo_id: str) -> str:
    """Return the card of a tokenizer, as `repo_id` on the Hub. It depends on nothing else.

    Args:
        folder: Where it lies, for the sentence.
        tokenizer_json: What its tokenizer.json holds.
        repo_id: owner/name.

    Raises:
        UserError: When that is no BPE tokenizer.
    """
    try:
        tokenizer = Tokenizer.from_buffer(tokenizer_json)
    except Exception as error:  # the library has no other class
        raise UserError(f"{folder / 'tokenizer.json'} is no tokenizer ({str(error)[:100]}); train it again") from None
    require(isinstance(tokenizer.model, BPE), f"{folder / 'tokenizer.json'} is no BPE; only those are pushed alone")
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    data = ModelCardData(license="apache-2.0", library_name="transformers", tags=["tokenizer", "bpe", "hf_llm"])
    text = TEXT.format(name=repo_id.split("/")[1], size=size, repo_id=repo_id)
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n{text}"))
