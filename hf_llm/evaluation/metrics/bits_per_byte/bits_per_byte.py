"""Bits per byte as a module of Hugging Face's `evaluate`, loaded from this folder without network.

>>> bits_per_byte = evaluate.load("hf_llm/evaluation/metrics/bits_per_byte")
>>> bits_per_byte.compute(nll=[6.931471805599453], bytes=[10])
{'bits_per_byte': 1.0}
"""

import math

import datasets
import evaluate

_DESCRIPTION = """\
Bits per byte of texts under a language model: their negative log-likelihood in bits over their length in UTF-8 bytes.
It compares models with different tokenizers, which perplexity does not.
"""
_INPUTS = """\
Args:
    nll: For each text, the sum over its tokens of -ln p(token | tokens before it), in nats.
    bytes: For each text, the UTF-8 bytes that these tokens stand for.
Returns:
    bits_per_byte: sum of nll / (ln 2 · sum of bytes).
"""
_CITATION = "Gao et al. 2020, The Pile: An 800GB Dataset of Diverse Text for Language Modeling, arXiv:2101.00027"


class BitsPerByte(evaluate.Metric):
    """sum of nll / (ln 2 · sum of bytes)."""

    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"nll": datasets.Value("float64"), "bytes": datasets.Value("int64")}),
        )

    def _compute(self, nll, bytes):
        return {"bits_per_byte": math.fsum(nll) / math.log(2) / sum(bytes)}
