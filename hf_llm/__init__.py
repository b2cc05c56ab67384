"""hf_llm: watch a language model being built, and pretrain GPT-2 at real scale with the same code.

Importing the package is nearly free: torch and transformers load with the first name that needs them.
"""

import importlib

__version__ = "0.1.0"

_EXPORTS = {
    "CausalLM": "hf_llm.training.causal_lm",
    "ClassifierConfig": "hf_llm.recipes.classifier_config",
    "DigitsImageProcessor": "hf_llm.models.image_processing_digits",
    "FinetuneConfig": "hf_llm.recipes.finetune_config",
    "GPT2Explained": "hf_llm.explain.gpt2_explained",
    "GenerationSettings": "hf_llm.generation.config",
    "ImageClassification": "hf_llm.training.image_classification",
    "PretrainConfig": "hf_llm.training.config",
    "TextClassification": "hf_llm.training.text_classification",
    "UserError": "hf_llm.config",
    "evaluate_tokens": "hf_llm.evaluation.bits_per_byte",
    "finetune": "hf_llm.recipes.finetune",
    "generate": "hf_llm.generation.generate",
    "gpt2_config": "hf_llm.models.gpt2",
    "load_causal_lm": "hf_llm.models.loading",
    "load_tokenizer": "hf_llm.tokenization.tokenizer",
    "new_image_classifier": "hf_llm.models.image_classifiers",
    "pretrain": "hf_llm.recipes.pretrain",
    "read_images": "hf_llm.data.images",
    "replay": "hf_llm.tokenization.bpe",
    "train": "hf_llm.training.loop",
    "train_bpe": "hf_llm.tokenization.tokenizer",
    "train_classifier": "hf_llm.recipes.classifier",
}
__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'hf_llm' has no attribute {name!r}")


def __dir__():
    return __all__
