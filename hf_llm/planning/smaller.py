"""Smaller trainings, to be proposed where one does not fit: what alters the result least comes first."""

from collections.abc import Iterator

from transformers import GPT2Config

from hf_llm.data import BatchPlan
from hf_llm.models.sizes import SIZES
from hf_llm.training.config import PretrainConfig

SHORTEST_CONTEXT = 32
# an update rule almost without state, at the rate usual for it, by which the weight decay is multiplied too
ADAFACTOR = {"optimizer": "adafactor", "learning_rate": 0.01, "weight_decay": 0}
IN_BACKWARD = {"optimizer_in_bwd": True, "max_grad_norm": 0}


def smaller_trainings(
    config: PretrainConfig, model: GPT2Config, batches: BatchPlan, disk_is_short: bool
) -> Iterator[dict]:
    """Yield changes of the settings as {name: value}.

    Args:
        config: The settings that do not fit.
        model: Their shape.
        batches: Their batch arithmetic; what is proposed divides the total as well.
        disk_is_short: Whether fewer checkpoints are to be proposed too.
    """
    micro, share = batches.micro_batch_size, config.total_batch_size // batches.world_size
    smaller_batches = [batch for batch in range(micro - 1, 0, -1) if share % batch == 0]
    fewer_checkpoints = {"save_total_limit": 1} if disk_is_short else {}

    def at_once(batch: int, in_backward: bool = config.optimizer_in_bwd) -> dict:
        whole_step = {"total_batch_size": batch} if in_backward and batch != config.total_batch_size else {}
        return {"per_device_train_batch_size": batch, **whole_step, **fewer_checkpoints}

    def within(context: int) -> dict:
        stride = {"eval_stride": max(1, context // 2)} if (config.eval_stride or 0) > context else {}
        return {"n_positions": context, **stride}

    if fewer_checkpoints:
        yield fewer_checkpoints
    for batch in smaller_batches:  # the same training, in smaller pieces
        yield at_once(batch)
    if not config.gradient_checkpointing:  # the same training, slower
        for batch in [micro, *smaller_batches]:
            yield {"gradient_checkpointing": True, **at_once(batch)}
    least = {"gradient_checkpointing": True, **at_once(1)}
    if batches.world_size > 1 and not config.shard:  # the same training, with more to say to each other
        yield {"shard": True, **fewer_checkpoints}
        yield {"shard": True, **least}
    lightest = least if config.shard or config.optimizer == "adafactor" else {**least, **ADAFACTOR}
    if lightest != least:  # the same model, learning in another way
        yield lightest
    if batches.world_size == 1 and not config.optimizer_in_bwd and not config.max_weight_norm:
        lightest = {**lightest, **IN_BACKWARD}
        for batch in [micro, *smaller_batches]:
            yield {**lightest, **at_once(batch, in_backward=True)}
        lightest |= at_once(1, in_backward=True)
    context = model.n_positions // 2
    while context >= SHORTEST_CONTEXT:
        yield {**least, **within(context)}
        yield {**lightest, **within(context)}
        context //= 2
    if config.n_layer is config.n_head is config.n_embd is None:  # else a size's name would not say the shape
        names = list(SIZES)
        for name in reversed(names[: names.index(config.model)]):
            yield {**least, "model": name, **within(min(model.n_positions, SIZES[name].n_positions))}


def as_flags(change: dict) -> str:
    """Return a change as one types it.

    >>> as_flags({"gradient_checkpointing": True, "n_positions": 64})
    '--gradient_checkpointing --n_positions 64'
    """
    return " ".join(f"--{name}" if value is True else f"--{name} {value}" for name, value in change.items())
