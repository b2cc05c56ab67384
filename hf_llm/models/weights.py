"""A folder's weights into the model that its config.json describes: exactly those, none missing, no layer left over.

transformers fills a tensor that is missing with random numbers, leaves one alone that the config has no place for, and
in both cases computes something else than what was trained.
"""

import logging
import re
from pathlib import Path

from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from hf_llm.config import UserError, quoted, require
from hf_llm.models.foreign_code import WEIGHTS
from hf_llm.texts import both

logger = logging.getLogger(__name__)

BUFFERS = re.compile(r"\.(?:attn|attention)\.masked_bias$")  # a constant in files of earlier versions


def load_weights(auto_class, folder: Path, name: str, **settings) -> PreTrainedModel:
    """Return `auto_class.from_pretrained(folder, …)` in evaluation mode. Nothing that came with the folder is run.

    Args:
        auto_class: AutoModelForCausalLM or another one.
        folder: As `save_pretrained` writes it.
        name: What the user called it, for messages.
        settings: More of `from_pretrained`, such as `dtype`.

    Raises:
        UserError: When a file cannot be read or is damaged, or weights and config.json are not those of one model.
    """
    _open_each(folder)
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # its table of tensors; what matters of it is said below
    try:
        model, report = auto_class.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, ignore_mismatched_sizes=True,
            output_loading_info=True, **settings,
        )  # fmt: skip
    except Exception as error:  # each library below raises its own, for a damaged file as for one that does not fit
        raise UserError(both("models.damaged", name=name, reason=first_line(error))) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    for tensor, in_file, by_config in sorted(report["mismatched_keys"])[:1]:
        shapes = {"in_file": " × ".join(map(str, in_file)), "by_config": " × ".join(map(str, by_config))}
        count = len(report["mismatched_keys"])
        raise UserError(both("models.other_shape", name=name, tensor=tensor, count=count, **shapes))
    missing = sorted(report["missing_keys"])
    require(not missing, both("models.missing_tensors", name=name, count=len(missing), first="".join(missing[:1])))
    _check_unused(model, name, sorted(report["unexpected_keys"]))
    return model.eval()


def _open_each(folder: Path) -> None:
    """Refuse weights that are closed to this user: safetensors says of such a file that it is not there."""
    for path in sorted(folder.iterdir()):
        if WEIGHTS.fullmatch(path.name):
            try:
                open(path, "rb").close()
            except OSError as error:
                raise UserError(both("data.unreadable", path=path, error=error.strerror)) from None


def first_line(error: Exception) -> str:
    """Return what an exception of a library says, on one line; its kind where it says nothing."""
    return quoted((str(error).strip() or type(error).__name__).splitlines()[0], most=200)


def _check_unused(model: PreTrainedModel, name: str, tensors: list[str]) -> None:
    """Refuse layers that the config does not count; say what else stays unused, such as another task's head."""
    kinds = {_without_numbers(tensor) for tensor in model.state_dict()}
    layers = [tensor for tensor in tensors if _without_numbers(tensor) in kinds]
    first = "".join(layers[:1])
    require(not layers, both("models.layers_left_over", name=name, count=len(layers), first=first))
    rest = [tensor for tensor in tensors if not BUFFERS.search(tensor)]
    if rest:
        logger.warning("%s holds %d tensors that this kind of model does not use, such as %s", name, len(rest), rest[0])


def _without_numbers(tensor: str) -> str:
    """Return the name that the same tensor of every layer has.

    >>> _without_numbers("transformer.h.11.ln_1.weight")
    'transformer.h.#.ln_1.weight'
    """
    return re.sub(r"\.\d+(?=\.)", ".#", tensor)
