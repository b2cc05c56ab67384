"""llama.cpp on a GGUF file, asked as its own server is: over HTTP on this machine."""

import json
import math
import urllib.request
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from hf_llm.exports.engine import Continuation, engine_package

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy would not reach this machine
ALL = 10**6  # tokens at most in a vocabulary
CERTAIN = 1e6  # added to a logit, more than any other can be


class LlamaCpp:
    """A model in llama.cpp's server.

    Args:
        path: A GGUF file.
        context: Tokens that the model reads at once.
        cache: Precision of keys and values. llama.cpp's own default is f16, with fused attention where it can;
            f32 computes as transformers does.
    """

    precision = 1e-2  # it looks GELU up in a table of half-precision numbers, also where all else is fp32

    def __init__(self, path: Path, context: int, cache: Literal["f32", "f16"]):
        llama = engine_package("xllamacpp", "gguf")
        params = llama.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context
        params.n_parallel = 1
        params.warmup = False
        params.fit_params = False
        params.verbosity = -1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = torch.get_num_threads()
        if cache == "f32":
            params.cache_type_k = params.cache_type_v = llama.ggml_type.GGML_TYPE_F32
            params.flash_attn_type = llama.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._server = llama.Server(params)

    def continue_text(self, prompt: str, tokens: int) -> Continuation:
        """Continue a prompt greedily; the prompt is tokenised by llama.cpp."""
        prompt_ids = self._ask("/tokenize", content=prompt, add_special=True)["tokens"]
        answer = self._ask("/completion", prompt=prompt, n_predict=tokens, temperature=0.0, return_tokens=True)
        return Continuation(prompt_ids, answer["tokens"])

    def bits(self, ids: np.ndarray, context: int) -> float:
        """Return how many bits a text costs, each token but the first scored once.

        Args:
            ids: Token ids, shape (N,).
            context: Tokens read at once; the windows slide by half of it.
        """
        half, start, nats = max(1, context // 2), 0, 0.0
        for place in range(1, len(ids)):
            start = start + half if place - start >= context else start
            nats -= self._log_probability(ids[start:place].tolist(), int(ids[place]))
        return nats / math.log(2)

    def _log_probability(self, ids: list[int], token: int) -> float:
        """Return ln p of a token behind others: it is made the certain choice, and the server says what it was."""
        certain = {"prompt": ids, "n_predict": 1, "temperature": 0.0}
        answer = self._ask("/completion", **certain, n_probs=1, logit_bias=[[token, CERTAIN]])
        if "completion_probabilities" in answer:
            return answer["completion_probabilities"][0]["logprob"]
        # it waits for the rest of a character of several bytes; so a letter is chosen, and all others are asked for
        letter = self._ask("/tokenize", content="a", add_special=False)["tokens"][0]
        answer = self._ask("/completion", **certain, n_probs=ALL, logit_bias=[[letter, CERTAIN]])
        others = answer["completion_probabilities"][0]["top_logprobs"]
        return next(other["logprob"] for other in others if other["id"] == token)

    def _ask(self, path: str, **question) -> dict:
        request = urllib.request.Request(
            self._server.listening_address + path, json.dumps(question).encode(), {"content-type": "application/json"}
        )
        with LOCAL.open(request) as answer:
            return json.load(answer)
