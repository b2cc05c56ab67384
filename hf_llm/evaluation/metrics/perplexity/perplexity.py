"""Perplexity as a module of Hugging Face's `evaluate`, loaded from this folder without network.

>>> perplexity = evaluate.load("hf_llm/evaluation/metrics/perplexity")
>>> perplexity.compute(nll=[8.0, 2.0], tokens=[4, 1])
{'perplexity': 7.38905609893065, 'loss': 2.0}
"""

import math

import datasets
import evaluate

_DESCRIPTION = """\
Perplexity of texts under a language model: exp of the mean negative log-likelihood a token. The mean is over all
tokens of all texts, not over texts. It depends on the tokenizer; bits_per_byte does not.
"""
_INPUTS = """\
Args:
    nll: For each text, the sum over its tokens of -ln p(token | tokens before it), in nats.
    tokens: For each text, how many tokens that sum is over.
Returns:
    perplexity: exp(loss).
    loss: Nats a token.
"""
_CITATION = (
    "Jelinek, Mercer, Bahl, Baker 1977, Perplexity—a measure of the difficulty of speech recognition tasks, JASA 62"
)


class Perplexity(evaluate.Metric):
    """exp(sum of nll / sum of tokens)."""

    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"nll": datasets.Value("float64"), "tokens": datasets.Value("int64")}),
        )

    def _compute(self, nll, tokens):
        loss = math.fsum(nll) / sum(tokens)
        return {"perplexity": math.inf if loss > 700 else math.exp(loss), "loss": loss}  # exp overflows at 710
