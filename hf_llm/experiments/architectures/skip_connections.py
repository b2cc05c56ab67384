"""ResNets, shallow and deep, with their skip connections and without them, for the same number of steps.

Without them a block passes on what its convolutions compute and nothing else: the "plain" net of He et al. 2016,
section 3.3.
"""

from functools import partial

import torch
from torch import nn
from transformers import AutoModelForImageClassification, PreTrainedModel
from transformers.models.resnet.modeling_resnet import ResNetBasicLayer

from hf_llm.experiments.architectures.training import Images, channels_last, more_accurate, race
from hf_llm.experiments.frame import Finding, Say, Study, Tables, means
from hf_llm.experiments.frame.charts import Figure, curves, label, new_figure
from hf_llm.models.image_classifiers import small_resnet

STEPS = (10, 60)  # of the short and of the full version
SHALLOW, DEEP = (2, 2, 1), ((4, 4, 4), (6, 6, 6))  # residual blocks a stage; two convolutions a block


def measure(study: Study) -> Tables:
    """Train the four nets, each with the learning rate that suits it."""
    images, steps = Images.of(study), study.pick(*STEPS)
    depths = {"shallow": SHALLOW, "deep": study.pick(*DEEP)}
    nets = {
        f"{depth}_{skips}": partial(resnet, depths[depth], skips == "residual")
        for depth in depths for skips in ("residual", "plain")
    }  # fmt: skip
    tables = race(
        study, images, "skip_connections", nets, lambda net, model, rate, seed: images.fit(model, steps, rate, seed)
    )
    runs = tables["skip_connections"]
    runs[["depth", "skips"]] = runs["net"].str.split("_", expand=True)
    runs["blocks"] = runs["depth"].map({depth: sum(blocks) for depth, blocks in depths.items()})
    return tables


def resnet(depths: tuple[int, ...], skips: bool, seed: int) -> PreTrainedModel:
    """Return an untrained ResNet with `depths` residual blocks a stage; the seed decides its weights.

    Without skip connections the projections on them, where maps shrink, go as well.
    """
    config = small_resnet()
    config.depths = list(depths)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForImageClassification.from_config(config)
    if not skips:
        for module in model.modules():
            if isinstance(module, ResNetBasicLayer):
                module.shortcut = Nothing()
    return channels_last(model).train()


class Nothing(nn.Module):
    """A skip connection that adds zero."""

    def forward(self, hidden_state: torch.Tensor) -> torch.Tensor:
        return torch.zeros((), dtype=hidden_state.dtype)


def findings(tables: Tables) -> list[Finding]:
    pairs = {
        "skips_help_shallow": ("shallow_residual", "shallow_plain"), "skips_help_deep": ("deep_residual", "deep_plain"),
        "depth_hurts_plain": ("shallow_plain", "deep_plain"),
        "depth_hurts_residual": ("shallow_residual", "deep_residual"),
    }  # fmt: skip
    return [more_accurate(key, tables["skip_connections"], *pair) for key, pair in pairs.items()]


def draw(tables: Tables, say: Say) -> Figure:
    """Accuracy along the number of blocks."""
    figure, ((axis,),) = new_figure(width=5.6)
    table = tables["skip_connections"]
    curves(axis, table, "blocks", "accuracy", "skips", say)
    axis.set_xticks(sorted(table["blocks"].unique()))
    label(axis, say("figures.skip_connections.x"), say("figures.skip_connections.y"))
    return figure


FIGURES = {"skip_connections": draw}
SUMMARIES = {"skip_connections": lambda tables: means(
    tables["skip_connections"], ["blocks", "skips", "parameters", "rate"], ["accuracy"])}  # fmt: skip
