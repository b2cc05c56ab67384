"""hf_llm: watch a language model being built, and pretrain GPT-2 at real scale with the same code.

Importing the package is nearly free: torch and transformers load with the first name that needs them.
"""

import importlib

__version__ = "0.1.0"

_EXPORTS = {
    "UserError": "hf_llm.config",
}
__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'hf_llm' has no attribute {name!r}")


def __dir__():
    return __all__
