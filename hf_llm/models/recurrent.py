"""LSTM and GRU language models: a configuration, a model with seeded weights, and the width for a parameter count.

Importing this file makes transformers' Auto classes know them.

>>> config = recurrent_config("lstm", vocab_size=500, n_embd=64)
>>> recurrent_parameters(config)["total"] == new_recurrent(config, seed=0).num_parameters()
True
"""

import copy
from bisect import bisect_left

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, AutoModelForCausalLM

from hf_llm.config import UserError, require
from hf_llm.models.configuration_recurrent import RecurrentConfig
from hf_llm.models.modeling_recurrent import RecurrentForCausalLM

AutoConfig.register(RecurrentConfig.model_type, RecurrentConfig)
AutoModelForCausalLM.register(RecurrentConfig, RecurrentForCausalLM)

GATES = {"lstm": 4, "gru": 3}  # blocks of rows in each matrix of a cell: the gates and the candidate
WIDEST = 1 << 16


def recurrent_config(cell: str, **settings) -> RecurrentConfig:
    """Return the configuration of an LSTM or a GRU; settings and defaults are those of `RecurrentConfig`.

    Raises:
        UserError: For a value that no such model can have.
    """
    try:
        return RecurrentConfig(cell=cell, **settings)
    except (StrictDataclassError, ValueError) as error:
        raise UserError(str(error.__cause__ or error).splitlines()[0]) from error


def new_recurrent(config: RecurrentConfig, seed: int, device: str | torch.device = "cpu") -> RecurrentForCausalLM:
    """Return an untrained model in training mode, in fp32; `seed` and `device` as in `new_gpt2`."""
    device = torch.device(device)
    with torch.random.fork_rng(devices=[]), torch.device("meta" if device.type == "meta" else "cpu"):
        torch.default_generator.manual_seed(seed)
        model = RecurrentForCausalLM(copy.deepcopy(config))
    return model.to(device)


def recurrent_parameters(config: RecurrentConfig) -> dict[str, int]:
    """Return the number of parameters by part, from the configuration alone.

    A layer has a matrix for what it reads and one for its own state, and torch gives each a bias.
    """
    width = config.n_embd
    counts = {
        "token_embedding": config.vocab_size * width,
        "recurrent": config.n_layer * GATES[config.cell] * (2 * width * width + 2 * width),
        "output_head": 0 if config.tie_word_embeddings else config.vocab_size * width,
    }
    return {**counts, "total": sum(counts.values())}


def recurrent_of_size(cell: str, parameters: int, **settings) -> RecurrentConfig:
    """Return the configuration whose `n_embd` brings it closest to so many parameters: for a fair comparison.

    Args:
        cell: lstm or gru.
        parameters: What another model has.
        settings: As of `RecurrentConfig`, without `n_embd`.

    Raises:
        UserError: When even a width of 1 has more, or for an impossible setting.
    """
    config = recurrent_config(cell, **settings, n_embd=1)

    def count(width: int) -> int:
        config.n_embd = width
        return recurrent_parameters(config)["total"]

    require(count(1) <= parameters, f"no {cell} has as few as {parameters} parameters with these settings; allow more")
    wider = bisect_left(range(WIDEST), parameters, lo=1, key=count)
    config.n_embd = min(max(1, wider - 1), wider, key=lambda width: abs(count(width) - parameters))
    return config
