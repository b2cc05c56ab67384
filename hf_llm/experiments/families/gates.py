"""Gates: what those of the trained LSTM and GRU do on a text, and what it costs to hold one of them fast."""

import numpy as np
import pandas as pd
import torch

from hf_llm.experiments.families.cells import KEEPING, Change, read_on, unchanged
from hf_llm.experiments.families.context import per_byte
from hf_llm.experiments.families.models import RECURRENT, Grid
from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, by_seed, exact, means, select
from hf_llm.experiments.frame.charts import Figure, dots, label, new_figure
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.training.task import Task

GATES = {"lstm": ("input", "forget", "output"), "gru": ("reset", "update")}
SAME = 1e-4  # nats per token between torch's cell and ours: rounding over a window
WINDOWS = 48
LONG = 0.9  # quantile of the units by their half-life: the tenth that remembers longest begins here


def measure(study: Study) -> Tables:
    """Nothing more: `objectives` lets `look` at each model before it lets it go."""
    return {}


def look_untrained(family: str, model, parts: TextParts, grid: Grid) -> dict[str, list[dict]]:
    """Return the rows of `memory` before the training."""
    if family not in RECURRENT:
        return {}
    _, used = run(model, windows_of(parts, grid))
    return {"memory": memory_rows(used, family, "before")}


def look(family: str, task: Task, parts: TextParts, grid: Grid, seed: int) -> dict[str, list[dict]]:
    """Return the rows of `memory`, `held` and `gates` of a recurrent model."""
    if family not in RECURRENT:
        return {}
    model, windows = task.model.eval(), windows_of(parts, grid)
    size = task.byte_lengths[windows[:, 1:]]
    nats, used = run(model, windows)
    plain = per_byte(nats, size)
    with torch.inference_mode():
        logits = model(input_ids=torch.from_numpy(windows[:, :-1]), use_cache=False).logits
    own = torch.nn.functional.cross_entropy(logits.transpose(1, 2), torch.from_numpy(windows[:, 1:]), reduction="none")
    held = []
    for gate in GATES[family]:
        average = [layer[gate].mean(dim=(0, 1)) for layer in used]  # (H,) of each layer
        for name, change in holding(gate, average).items():
            held.append({"gate": gate, "held": name, "bits": per_byte(run(model, windows, change)[0], size) - plain})
    newline = np.isin(windows[:, :-1], newline_ids(task))
    rows = [
        {"gate": gate, "layer": layer, "mean": values.mean().item(), "after_newline": values[newline].mean().item(),
         "elsewhere": values[~newline].mean().item(), "error": float(np.abs(nats - own.double().numpy()).max())}
        for layer, gates in enumerate(used, start=1) for gate, values in gates.items()
    ]  # fmt: skip
    return {"gates": rows, "held": held, "memory": memory_rows(used, family, "after")}


def windows_of(parts: TextParts, grid: Grid) -> np.ndarray:
    """Return windows of the test text that do not overlap, (N, T + 1)."""
    length, ids = grid.context + 1, parts.ids["test"].astype(np.int64)
    count = min(WINDOWS, len(ids) // length)
    return ids[: count * length].reshape(count, length)


@torch.inference_mode()
def run(model, windows: np.ndarray, change: Change = unchanged) -> tuple[np.ndarray, list[dict[str, torch.Tensor]]]:
    """Return -ln p of each token but the first, (N, T), and the gates of each layer, each (N, T, H)."""
    windows = torch.from_numpy(windows)
    hidden, used = read_on(model.recurrent, model.embedding(windows[:, :-1]), change)
    logits = model.lm_head(hidden)  # (N, T, vocab)
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), windows[:, 1:], reduction="none")
    return losses.double().numpy(), used


def holding(gate: str, average: list[torch.Tensor]) -> dict[str, Change]:
    """Return what may be done with a gate: shut, open, or each unit's average whatever is read."""

    def only(instead) -> Change:
        return lambda name, layer, values: instead(layer, values) if name == gate else values

    return {
        "shut": only(lambda layer, values: torch.zeros_like(values)),
        "open": only(lambda layer, values: torch.ones_like(values)),
        "average": only(lambda layer, values: average[layer].expand_as(values)),
    }


def newline_ids(task: Task) -> list[int]:
    """Return the tokens that end a line."""
    return [id for id in range(len(task.tokenizer)) if task.tokenizer.decode([id]).endswith("\n")]


def memory_rows(used: list[dict[str, torch.Tensor]], family: str, when: str) -> list[dict]:
    """Return for each layer the half-life in tokens of the unit in the middle, and of the one at the quantile LONG.

    What a unit remembers is multiplied by its gate at each token, so the mean of ln(gate) says how fast it fades.
    """
    rows = []
    for layer, gates in enumerate(used, start=1):
        fading = gates[KEEPING[family]].double().log().mean(dim=(0, 1))  # (H,), below 0
        lives = (np.log(0.5) / fading).numpy()
        rows.append(
            {"layer": layer, "when": when, "middle": float(np.median(lives)), "long": float(np.quantile(lives, LONG))}
        )
    return rows


def findings(tables: Tables) -> list[Finding]:
    held, gates, memory = tables["held"], tables["gates"], tables["memory"]
    top = memory["layer"].max()

    def cost(family: str, gate: str, how: str) -> np.ndarray:
        return by_seed(held, "bits", family=family, gate=gate, held=how)

    def long(when: str) -> np.ndarray:
        return by_seed(memory, "long", family="lstm", layer=top, when=when)

    lines = select(gates, family="lstm", gate="forget", layer=1)
    return [
        exact("gates_by_hand", gates["error"].max(), SAME, side="below"),
        above("forget_shut_costs", cost("lstm", "forget", "shut")),
        above("forget_open_costs", cost("lstm", "forget", "open")),
        above("forget_follows_the_text", cost("lstm", "forget", "average")),
        above("update_shut_costs", cost("gru", "update", "shut")),
        above("memory_grows", long("after") / long("before"), 1.0, scale="log"),
        above("newline_forgets", by_seed(lines, "elsewhere") - by_seed(lines, "after_newline")),
    ]


def held_summary(tables: Tables) -> pd.DataFrame:
    return means(tables["held"], ["family", "gate", "held"], ["bits"]).round(3)


def gate_summary(tables: Tables) -> pd.DataFrame:
    return means(tables["gates"], ["family", "gate", "layer"], ["mean", "after_newline", "elsewhere"]).round(3)


def memory_summary(tables: Tables) -> pd.DataFrame:
    return means(tables["memory"], ["family", "layer", "when"], ["middle", "long"]).round(1)


def draw_held(tables: Tables, say: Say) -> Figure:
    """What holding each gate costs, LSTM left, GRU right."""
    figure, axes = new_figure(1, 2, width=5, height=3.6)
    for axis, family in zip(axes[0], RECURRENT):
        rows = select(tables["held"], family=family)
        rows = rows.assign(both=[f"{gate}_{held}" for gate, held in zip(rows["gate"], rows["held"])])
        dots(axis, rows, "bits", "both", say)
        label(axis, say("figures.more_bits"), "", say(f"names.{family}"), legend=False)
    return figure


FIGURES = {"held": draw_held}
SUMMARIES = {"held": held_summary, "gates": gate_summary, "memory": memory_summary}
