"""The card of a tokenizer that is pushed alone: README.md with metadata that the Hub understands."""

import json
from pathlib import Path

from huggingface_hub import ModelCard, ModelCardData

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


def tokenizer_card(folder: Path, repo_id: str) -> str:
    """Return the card of the tokenizer in `folder`, as `repo_id` on the Hub. It depends on nothing else."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    known = set(tokenizer["model"]["vocab"]) | {token["content"] for token in tokenizer["added_tokens"]}
    data = ModelCardData(license="apache-2.0", library_name="transformers", tags=["tokenizer", "bpe", "hf_llm"])
    text = TEXT.format(name=repo_id.split("/")[1], size=len(known), repo_id=repo_id)
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n{text}"))
